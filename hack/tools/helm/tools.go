//go:build tools

// Package tools names what is built here, so that `go mod tidy` keeps its
// module in go.mod. It is never compiled.
package tools

import (
	_ "helm.sh/helm/v4/cmd/helm"
)
