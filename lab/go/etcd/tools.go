//go:build tools

// Package etcd pins the cluster store of the lab's node image.
package etcd

import _ "go.etcd.io/etcd/server/v3"
