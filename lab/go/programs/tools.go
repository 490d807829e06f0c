//go:build tools

// Package programs pins what the lab's cluster runs beside Kubernetes.
package programs

import (
	_ "github.com/coredns/coredns/coremain"
	_ "github.com/rancher/local-path-provisioner"
)
