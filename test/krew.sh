#!/bin/bash
# Installs what is in dist/ as a user of krew does: krew's own validator reads the manifest,
# krew installs the archive into a folder of its own, and kubectl runs the plugin.
# Needs dist/ (make dist krew-manifest) and kubectl.
set -eu -o pipefail
cd "$(dirname "$0")/.."
manifest=$PWD/dist/e2eimage.yaml
platform=$(go env GOOS)_$(go env GOARCH)
archive=$PWD/dist/kubectl-e2eimage_$platform.tar.gz
[ -e "$archive" ] || archive=${archive%.tar.gz}.zip

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir -p "$place/bin" "$place/home" "$place/kubectl"
go build -modfile=tools/krew/go.mod -o "$place/bin/" sigs.k8s.io/krew/cmd/krew sigs.k8s.io/krew/cmd/validate-krew-manifest
ln -s "$(command -v kubectl)" "$place/kubectl/kubectl"

# Nothing of this user's krew is read or changed. No index: nothing is fetched.
user=(env -i HOME="$place/home" KREW_ROOT="$place/krew" PATH="$place/krew/bin:$place/kubectl")
set -x
"${user[@]}" "$place/bin/validate-krew-manifest" -manifest "$manifest" -skip-install
"${user[@]}" "$place/bin/krew" install --manifest "$manifest" --archive "$archive"
test -s "$place"/krew/store/e2eimage/*/LICENSE
"${user[@]}" "$place/kubectl/kubectl" e2eimage version
