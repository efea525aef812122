#!/usr/bin/env bash
# Builds every fuzz target into $OUT, each beside its seeds and the words of the protocol: what
# ClusterFuzzLite and OSS-Fuzz ask of a project. It is run in their image; by hand, from the root of the
# repository:
#   OUT=$(mktemp -d) RUSTUP_TOOLCHAIN=nightly .clusterfuzzlite/build.sh
set -euo pipefail
# Coverage wants many small units, and no waiting for a linker that knows everything.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
cargo fuzz build
seeds=$(mktemp -d)
cargo run --quiet -p fuzz --example seeds -- "$seeds"
built=${CARGO_TARGET_DIR:-target}/$(rustc -vV | sed -n 's/^host: //p')/release
for target in fuzz/targets/*.rs; do
    name=$(basename "$target" .rs)
    cp "$built/$name" "$OUT/"
    cp "$seeds/words.dict" "$OUT/$name.dict"
    (cd "$seeds/$name" && python3 -m zipfile -c "$OUT/${name}_seed_corpus.zip" ./*)
    printf '[libfuzzer]\nmax_len = 2048\ntimeout = 1\nrss_limit_mb = 512\n' >"$OUT/$name.options"
done
rm -r "$seeds"
