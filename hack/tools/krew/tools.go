//go:build tools

// Package tools pins what is built here: krew, by which the plugin's archive is installed in a test.
package tools

import (
	_ "sigs.k8s.io/krew/cmd/krew"
)
