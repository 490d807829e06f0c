// Package proxy stands in for the kube-proxy of felix's eBPF data plane.
//
// It is the one part of felix that is written against another Kubernetes' own packages, and the lab has kube-proxy itself.
package proxy

import (
	"errors"
	"net"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/projectcalico/calico/felix/bpf/bpfmap"
	"github.com/projectcalico/calico/felix/bpf/routes"
)

// Option is accepted and not looked at: StartKubeProxy refuses.
type Option struct{}

// KubeProxy is never made.
type KubeProxy struct{}

// StartKubeProxy refuses, and felix ends with the sentence.
func StartKubeProxy(kubernetes.Interface, string, *bpfmap.IPMaps, ...Option) (*KubeProxy, error) {
	return nil, errors.New("this felix was built without the eBPF data plane: set BPFEnabled to false")
}

// WithMinSyncPeriod and the other options are what felix would ask for.
func WithMinSyncPeriod(time.Duration) Option { return Option{} }

// WithDSREnabled is an option.
func WithDSREnabled() Option { return Option{} }

// WithTopologyNodeZone is an option.
func WithTopologyNodeZone(string) Option { return Option{} }

// WithExcludedCIDRs is an option.
func WithExcludedCIDRs([]string) Option { return Option{} }

// WithIPFamily is an option.
func WithIPFamily(int) Option { return Option{} }

// OnHostIPsUpdate is never called, as all that follow.
func (*KubeProxy) OnHostIPsUpdate([]net.IP) {}

// OnRouteUpdate is never called.
func (*KubeProxy) OnRouteUpdate(routes.KeyInterface, routes.ValueInterface) {}

// OnRouteDelete is never called.
func (*KubeProxy) OnRouteDelete(routes.KeyInterface) {}

// ConntrackScanStart is never called.
func (*KubeProxy) ConntrackScanStart() {}

// ConntrackScanEnd is never called.
func (*KubeProxy) ConntrackScanEnd() {}

// ConntrackFrontendHasBackend is never called.
func (*KubeProxy) ConntrackFrontendHasBackend(net.IP, uint16, net.IP, uint16, uint8) bool { return true }
