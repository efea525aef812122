//! `stats settings`: how the server was started, and what commands have turned since.
//!
//! It leaves out what does not exist here, but for the names that dashboards read.

use super::super::Context;
use super::Lines;
use crate::settings::{Clients, Listener, Protocol, Tls};

pub(super) fn settings(context: &Context<'_>) -> Lines {
    let shared = context.shared;
    let settings = &shared.settings;
    let mut lines = Lines::default();
    lines.add("maxbytes", shared.store.tally().limit_bytes);
    lines.add("maxconns", settings.connections_max);
    lines.add("tcpport", settings.port);
    lines.add("udpport", settings.udp_port);
    lines.add("inter", interfaces(&settings.listen));
    lines.add("verbosity", shared.verbosity());
    lines.add("oldest", shared.oldest());
    lines.add("evictions", if settings.evicts { "on" } else { "off" });
    lines.add_switch("shutdown_command", settings.allows_shutdown);
    lines.add("num_threads", settings.threads);
    lines.add("stat_key_prefix", char::from(settings.prefix_delimiter));
    lines.add_switch("detail_enabled", shared.prefixes.is_on());
    lines.add_switch("cas_enabled", settings.has_uniques);
    lines.add("tcp_backlog", settings.backlog);
    let protocol = match settings.protocol {
        None => "auto-negotiate",
        Some(Protocol::Text) => "ascii",
        Some(Protocol::Binary) => "binary",
    };
    lines.add("binding_protocol", protocol);
    lines.add_switch("auth_enabled_sasl", settings.has_sasl_login);
    let text_login = settings.users_path.as_deref();
    let text_login = text_login.filter(|_| settings.has_text_login);
    lines.add("auth_enabled_ascii", text_login.unwrap_or("no"));
    lines.add("item_size_max", settings.item_bytes_max);
    lines.add_switch("maxconns_fast", true);
    lines.add_switch("lru_crawler", shared.is_sweeping());
    lines.add("lru_crawler_sleep", 0);
    lines.add("lru_crawler_tocrawl", 0);
    lines.add_switch("flush_enabled", settings.allows_flush);
    lines.add_switch("dump_enabled", settings.allows_dump);
    lines.add_switch("lru_maintainer_thread", false);
    lines.add_switch("lru_segmented", false);
    lines.add("hot_lru_pct", 0);
    lines.add("warm_lru_pct", 0);
    lines.add("hot_max_factor", "0.00");
    lines.add("warm_max_factor", "0.00");
    lines.add("idle_timeout", settings.idle_timeout_seconds.unwrap_or(0));
    lines.add("watcher_logbuf_size", settings.watcher_buffer_bytes);
    lines.add_switch("track_sizes", settings.tracks_sizes);
    lines.add_switch("ssl_enabled", settings.tls.is_on);
    if settings.tls.is_on {
        add_tls(&settings.tls, &mut lines);
    }
    lines.add("client_flags_size", 4);
    if let Some(path) = &settings.config_path {
        lines.add("config_file", path);
    }
    if settings.turns_clock {
        lines.add_switch("debugtime", true);
    }
    lines
}

/// What TLS is spoken with, in OpenSSL's terms as memcached has them.
fn add_tls(tls: &Tls, lines: &mut Lines) {
    let path = |path: &Option<String>| path.clone().unwrap_or_else(|| String::from("NULL"));
    lines.add("ssl_chain_cert", path(&tls.chain_path));
    lines.add("ssl_key", path(&tls.key_path));
    let mode = match tls.clients {
        Clients::Anybody => 0,
        Clients::Asked => 1,
        Clients::Known => 2,
    };
    lines.add("ssl_verify_mode", mode);
    // PEM.
    lines.add("ssl_keyformat", 1);
    lines.add("ssl_ciphers", "NULL");
    lines.add("ssl_ca_cert", path(&tls.authorities_path));
    lines.add_switch("ssl_kernel_tls", false);
    let oldest = if tls.is_new_only {
        "tlsv1.3"
    } else {
        "tlsv1.2"
    };
    lines.add("ssl_min_version", oldest);
}

fn interfaces(listen: &[Listener]) -> String {
    if listen.is_empty() {
        return String::from("127.0.0.1");
    }
    let texts: Vec<&str> = listen.iter().map(|one| one.text.as_str()).collect();
    texts.join(",")
}
