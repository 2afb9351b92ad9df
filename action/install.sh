#!/usr/bin/env bash
# Installs a release of the plugin into a folder on PATH, after its checksum was compared.
#   VERSION      v0.3.0, latest, none, or empty: ACTION_REF if that is a version, else latest
#   RELEASES     where releases are, for tests and mirrors
set -euo pipefail
releases=${RELEASES:-https://github.com/e2eimage/kubectl-e2eimage/releases}

version=${VERSION:-}
if [ "$version" = none ]; then
  kubectl e2eimage version
  exit
fi
if [ -z "$version" ]; then
  version=latest
  # v0 and v0.3 move along; only a whole version is a release.
  if [[ ${ACTION_REF:-} =~ ^v[0-9]+\.[0-9]+\.[0-9]+ ]]; then version=$ACTION_REF; fi
fi
if [[ $version != latest && ! $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]]; then
  echo "::error title=kubectl e2eimage::version must be like v0.3.0, latest or none"
  exit 2
fi

case $(uname -s) in
Linux) os=linux ;;
Darwin) os=darwin ;;
*) echo "::error title=kubectl e2eimage::this action runs on Linux and macOS"; exit 2 ;;
esac
case $(uname -m) in
x86_64 | amd64) arch=amd64 ;;
aarch64 | arm64) arch=arm64 ;;
*) echo "::error title=kubectl e2eimage::no release for $(uname -m)"; exit 2 ;;
esac

from=$releases/download/$version
if [ "$version" = latest ]; then from=$releases/latest/download; fi
archive=kubectl-e2eimage_${os}_$arch.tar.gz
folder=$RUNNER_TEMP/kubectl-e2eimage
mkdir -p "$folder"
cd "$folder"
curl --fail --silent --show-error --location --retry 3 --remote-name "$from/$archive" --remote-name "$from/checksums.txt"

# macOS has shasum instead.
sum="sha256sum"
command -v sha256sum >/dev/null || sum="shasum -a 256"
if ! grep -E "^[0-9a-f]{64} [ *]$archive\$" checksums.txt | $sum --check --quiet -; then
  echo "::error title=kubectl e2eimage::$archive is not the one of checksums.txt"
  exit 1
fi
tar -xzf "$archive" kubectl-e2eimage
echo "$folder" >>"$GITHUB_PATH"
"$folder/kubectl-e2eimage" version
