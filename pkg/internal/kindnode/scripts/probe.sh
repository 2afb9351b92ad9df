# Prints what a node has, one section after the other. Arguments: the sections.
# A section starts with a line "@@e2eimage NAME"; crictl's JSON and PEM never do.
set -eu
for section in "$@"; do
  printf '@@e2eimage %s\n' "$section"
  case $section in
    ca) cat /etc/kubernetes/pki/ca.crt ;;
    machine) uname -m ;;
    images) crictl images --output json ;;
    containers) crictl ps --all --output json ;;
    pods) crictl pods --quiet --no-trunc --state ready ;;
    # ctr has no JSON for labels: the table, of our own images only.
    owned) ctr --namespace k8s.io images ls 'labels."e2eimage.dev/owner"' ;;
    # The kubelet's notes about images that it pulled itself (Kubernetes 1.33 on).
    pulled)
      for note in /var/lib/kubelet/image_manager/pulled/*; do
        [ -f "$note" ] && cat "$note" && echo
      done || true ;;
    *) echo "unknown section $section" >&2; exit 64 ;;
  esac
  echo
done
