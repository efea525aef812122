"""What Django's own tests are told of the cache they run on."""

import os

LOCATION = os.environ["LOCATION"].split(",")
# The one client wants a scheme before a path, the other none.
if os.environ["BACKEND"] == "PyMemcacheCache":
    LOCATION = [f"unix:{place}" if place.startswith("/") else place for place in LOCATION]

CACHES = {
    "default": {
        "BACKEND": f"django.core.cache.backends.memcached.{os.environ['BACKEND']}",
        "LOCATION": LOCATION,
    }
}
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3"},
    "other": {"ENGINE": "django.db.backends.sqlite3"},
}
SECRET_KEY = "tests"
USE_TZ = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
