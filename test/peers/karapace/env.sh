# shellcheck shell=bash disable=SC2034
# Sourced by the other scripts: which Karapace, and where it is put.
# KARAPACE_VERSION   a tag of its repository
# KARAPACE_SOURCE    the repository to clone: an address or a folder
# PYTHON             Python 3.12 or newer; left out: the first that is found
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd); . "$here/../kafka/env.sh"
KARAPACE_VERSION="${KARAPACE_VERSION:-6.2.0}"
KARAPACE_SOURCE="${KARAPACE_SOURCE:-https://github.com/Aiven-Open/karapace.git}"
KARAPACE_HOME="$PEERS_HOME/karapace/$KARAPACE_VERSION"
