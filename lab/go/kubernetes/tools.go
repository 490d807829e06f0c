//go:build tools

// Package kubernetes pins what the lab's node image is compiled from.
package kubernetes

import (
	_ "k8s.io/kubernetes/cmd/kubectl"
)
