package e2e

import "testing"

func TestWorkloadsOfOtherImagesAreWaitedFor(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.image(u.source())
	other := "localhost/" + u.namespace + "-other:1"
	u.image(other)
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nimages:\n- {name: datastorage, source: '"+u.source()+"', repository: 'localhost/"+u.namespace+"-tagged'}\n"+
		"waitFor: [deployment/ingress, statefulset/broker]\n")
	u.must("tag")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	u.refused(1, []string{"no deployment.apps/ingress in namespace " + u.namespace + " to wait for", "no statefulset.apps/broker", "deployment/datastorage"}, "deploy")
	// One that takes a while, and one whose image is on no node.
	u.apply(workload("Deployment", "ingress", other, 2))
	u.apply(workload("StatefulSet", "broker", "localhost/"+u.namespace+":absent", 1))
	for _, verb := range [][]string{{"deploy"}, {"verify", "--wait"}} {
		u.refused(1, []string{"statefulset.apps/broker in namespace " + u.namespace + " is not rolled out: ErrImageNeverPull", "broker-0"}, verb...)
	}
	u.kubectl("delete", "statefulset", "broker", "--cascade=foreground")
	u.apply(workload("StatefulSet", "broker", other, 1))
	u.must("verify", "--wait")
	for workload, path := range map[string]string{"deployment/ingress": "{.status.readyReplicas}/2", "statefulset/broker": "{.status.readyReplicas}/1"} {
		if got, want := u.kubectl("get", workload, "-o", "jsonpath="+path), path[len(path)-1:]+path[len(path)-2:]; got != want {
			t.Errorf("after the wait %s has %s ready", workload, got)
		}
		if got := u.kubectl("get", workload, "-o", "jsonpath={.metadata.annotations.e2eimage\\.dev/consumer}"); got != "" {
			t.Errorf("%s was marked as %s's", workload, got)
		}
	}
}
