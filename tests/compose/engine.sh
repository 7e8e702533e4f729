#!/bin/sh
# Makes sure that there is a Docker engine with docker-compose, or says what is missing.
#   - one that runs already is used as it is;
#   - `docker-engine.sh` beside the checkout, if there, sets one up (root on Debian);
#   - otherwise: 1, and a sentence.
# Podman, which plays the Kubernetes pods, is installed on Debian for root; without it those tests
# are skipped.
set -eu
cd "$(dirname "$0")/../.."

engine() { docker info >/dev/null 2>&1; }
compose() { command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1; }

podman() {
  command -v podman >/dev/null || {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 0
    echo "installing podman" >&2
    apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        podman catatonit containernetworking-plugins iptables >/dev/null || true
  }
}

if engine && compose; then podman; exit 0; fi
setup=../shared/tools/docker-engine.sh
if [ -x "$setup" ] && [ "$(id -u)" = 0 ]; then
  "$setup"
  podman
  exit 0
fi
{
  echo "This needs a Docker engine and docker-compose."
  engine || echo "  missing: an engine that answers to \`docker info\` for this user"
  compose || echo "  missing: \`docker compose\` or \`docker-compose\`"
} >&2
exit 1
