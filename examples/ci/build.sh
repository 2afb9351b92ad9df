#!/bin/bash
# One job builds the image and leaves it as an archive for the others.
#   build.sh ARTIFACTS
set -eu -o pipefail
artifacts=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")"
engine=${ENGINE:-docker}

mkdir -p bin && cp Dockerfile bin/
CGO_ENABLED=0 go build -trimpath -o bin/service ../datastorage
image=$(kubectl e2eimage build --consumer ci --engine "$engine" --prebuilt=ignore)

# Under another name first: an archive is there whole or not at all, and podman
# does not overwrite.
partial=$(mktemp -u "$artifacts/.datastorage.XXXXXX")
"$engine" save -o "$partial" "$image"
mv "$partial" "$artifacts/datastorage.tar"
