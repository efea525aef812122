"""Django as its manual shows it: CACHES three ways, per-view caching, a cached fragment; and DRF."""

import sys
import time
import types

import django
import pytest
from django.conf import settings

settings.configure(
    ROOT_URLCONF="site_of_the_tutorial",
    SECRET_KEY="tutorial",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["rest_framework"],
    DATABASES={},
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None, "DEFAULT_AUTHENTICATION_CLASSES": []},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
)
django.setup()

from django.core.cache import cache, caches  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.template import Context, Template  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils.decorators import method_decorator  # noqa: E402
from django.views.decorators.cache import cache_page  # noqa: E402
from django.views.generic import View  # noqa: E402
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.response import Response  # noqa: E402

calls = []


@cache_page(60 * 15)
def function(request):
    calls.append("function")
    return HttpResponse(f"made {len(calls)} times")


@method_decorator(cache_page(60 * 15), name="dispatch")
class Class(View):
    def get(self, request):
        calls.append("class")
        return HttpResponse(f"made {len(calls)} times")


@cache_page(60 * 15)
@api_view(["GET"])
def api(request):
    calls.append("api")
    return Response({"made": len(calls), "слово": "缓存"})


@api_view(["GET", "POST"])
def entries(request):
    """The list that introductions keep in the cache until somebody adds to it."""
    if request.method == "POST":
        cache.delete("entries")
        return Response({}, status=201)
    found = cache.get("entries")
    if found is None:
        calls.append("entries")
        found = [{"id": 1, "title": "first"}, {"id": 2, "title": "second"}]
        cache.set("entries", found, timeout=60)
    return Response(found)


site = types.ModuleType("site_of_the_tutorial")
site.urlpatterns = [
    path("function", function),
    path("class", Class.as_view()),
    path("api", api),
    path("entries", entries),
]
sys.modules["site_of_the_tutorial"] = site

BACKENDS = ["PyMemcacheCache", "PyLibMCCache"]


@pytest.fixture(params=["tcp", "unix", "several"])
def location(request):
    if request.param == "several":
        return [daemon.address for daemon in request.getfixturevalue("three")]
    if request.param == "unix":
        place = request.getfixturevalue("unix").place
        return {"PyMemcacheCache": f"unix:{place}", "PyLibMCCache": place}
    return request.getfixturevalue("daemon").address


@pytest.fixture(params=BACKENDS, autouse=True)
def configured(request, location):
    where = location[request.param] if isinstance(location, dict) else location
    backend = f"django.core.cache.backends.memcached.{request.param}"
    calls.clear()
    with override_settings(CACHES={"default": {"BACKEND": backend, "LOCATION": where}}):
        yield
        caches.close_all()


def test_a_list_of_dicts_is_set_got_and_deleted():
    entries = [{"id": 1, "title": "Война и мир"}, {"id": 2, "title": "红楼梦", "tags": ["a", None]}]
    cache.set("entries", entries, timeout=300)
    assert cache.get("entries") == entries
    assert cache.delete("entries") is True
    assert cache.get("entries") is None
    assert cache.get("entries", "has expired") == "has expired"


def test_a_timeout_of_zero_keeps_nothing():
    cache.set("key", "value", timeout=0)
    assert cache.get("key") is None
    cache.set("key", "value", timeout=None)
    assert cache.get("key") == "value"


def test_a_timeout_runs_out():
    cache.set("key", "value", timeout=1)
    cache.set("longer", "value", timeout=100)
    assert cache.add("key", "another") is False
    time.sleep(2.1)
    assert cache.get("key") is None and cache.get("longer") == "value"
    assert cache.add("key", "another") is True


def test_many_counters_and_versions():
    cache.set_many({"a": 1, "b": 2})
    assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": 2}
    assert cache.incr("a") == 2 and cache.incr("a", 10) == 12 and cache.decr("a", 5) == 7
    assert cache.get_or_set("c", lambda: 3) == 3
    assert cache.add("c", 4) is False
    cache.set("key", "second", version=2)
    assert cache.get("key") is None and cache.get("key", version=2) == "second"
    cache.clear()
    assert cache.get_many(["a", "b", "c"]) == {}


@pytest.mark.parametrize("key", ["ключ", "缓存", "naïve"])
def test_other_alphabets(key):
    cache.set(key, key * 100, 30)
    assert cache.get(key) == key * 100
    assert cache.get_many([key]) == {key: key * 100}


@pytest.mark.parametrize("view", ["function", "class", "api"])
def test_a_page_is_made_once(view):
    client = Client()
    first, again = client.get(f"/{view}"), client.get(f"/{view}")
    assert first.status_code == again.status_code == 200
    assert first.content == again.content and calls == [view]
    assert client.get(f"/{view}?page=2").content != first.content
    assert "max-age=900" in again["Cache-Control"]
    cache.clear()
    client.get(f"/{view}")
    assert calls == [view] * 3


def test_a_list_is_read_from_the_cache_until_somebody_adds_to_it():
    client = Client()
    first = client.get("/entries").json()
    assert client.get("/entries").json() == first and calls == ["entries"]
    assert client.post("/entries").status_code == 201
    assert client.get("/entries").json() == first and calls == ["entries"] * 2


def test_a_fragment_for_each_user():
    text = "{% load cache %}{% cache 1800 top_banner user.id %}{{ say }}{% endcache %}"

    def rendered(user, say):
        return Template(text).render(Context({"user": {"id": user}, "say": say}))

    assert rendered(1, "привет, Ада") == "привет, Ада"
    assert rendered(2, "你好，林") == "你好，林"
    assert rendered(1, "not again") == "привет, Ада"
    assert rendered(2, "not again") == "你好，林"
    cache.clear()
    assert rendered(1, "again") == "again"
