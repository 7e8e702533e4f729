#!/bin/sh
# Makes sure that there is a Docker engine with docker-compose, or says what is missing.
#   - one that runs already is used as it is;
#   - `docker-engine.sh` beside the checkout, if there, sets one up (root on Debian);
#   - otherwise: 1, and a sentence.
set -eu
cd "$(dirname "$0")/../.."

engine() { docker info >/dev/null 2>&1; }
compose() { command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1; }

if engine && compose; then exit 0; fi
setup=../shared/tools/docker-engine.sh
if [ -x "$setup" ] && [ "$(id -u)" = 0 ]; then
  "$setup"
  exit 0
fi
{
  echo "This needs a Docker engine and docker-compose."
  engine || echo "  missing: an engine that answers to \`docker info\` for this user"
  compose || echo "  missing: \`docker compose\` or \`docker-compose\`"
} >&2
exit 1
