// Package aws stands in for felix's way to ask Amazon's cloud to switch a check of addresses off.
//
// The lab is in no cloud, and the client of that cloud takes longer to compile than all the rest of felix.
package aws

import (
	"github.com/projectcalico/api/pkg/apis/projectcalico/v3"
	"github.com/sirupsen/logrus"
	"k8s.io/utils/clock"

	"github.com/projectcalico/calico/libcalico-go/lib/health"
)

// EC2SrcDstCheckUpdater does nothing.
type EC2SrcDstCheckUpdater struct{}

// NewEC2SrcDstCheckUpdater is called when the setting AWSSrcDstCheck asks for the check.
func NewEC2SrcDstCheckUpdater() *EC2SrcDstCheckUpdater {
	return &EC2SrcDstCheckUpdater{}
}

// WaitForEC2SrcDstCheckUpdate says that the setting has no effect.
func WaitForEC2SrcDstCheckUpdate(
	setting v3.AWSSrcDstCheckOption, _ *health.HealthAggregator, _ *EC2SrcDstCheckUpdater, _ clock.Clock,
) {
	logrus.Errorf("AWSSrcDstCheck=%s has no effect: this felix was built without the client of Amazon's cloud", setting)
}
