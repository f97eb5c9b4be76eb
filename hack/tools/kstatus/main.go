// Command kstatus says what the status library of Kubernetes' cli-utils reads off
// objects: Current, InProgress, Failed, Terminating or Unknown. Flux and Helm wait
// by a fork of it; both are asked, and both are told.
//
// Objects are read from stdin, one JSON object after the other; one line is
// written for each: {"status":…,"message":…,"flux":{"status":…,"message":…}}.
// An object that a library cannot read has the status "Error".
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	flux "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type said struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

type line struct {
	said
	Flux said `json:"flux"`
}

func main() {
	if err := answer(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "kstatus:", err)
		os.Exit(1)
	}
}

func answer(in io.Reader, out io.Writer) error {
	decoder, encoder := json.NewDecoder(in), json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := encoder.Encode(line{upstream(object), fork(object)}); err != nil {
			return err
		}
	}
}

func upstream(object *unstructured.Unstructured) said {
	found, err := status.Compute(object)
	if err != nil {
		return said{"Error", err.Error()}
	}
	return said{found.Status.String(), found.Message}
}

func fork(object *unstructured.Unstructured) said {
	found, err := flux.Compute(object)
	if err != nil {
		return said{"Error", err.Error()}
	}
	return said{found.Status.String(), found.Message}
}
