// Celcheck compiles every expression of the given ValidatingAdmissionPolicies as API servers of several versions do,
// so that a function which is newer than the oldest supported version is found without running that version.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	admission "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	"k8s.io/apiserver/pkg/cel/environment"
)

var versions = []string{"1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"}

func main() {
	compiled, refused := 0, 0
	for _, at := range versions {
		for _, file := range os.Args[1:] {
			for _, policy := range read(file) {
				for _, problem := range compile(at, policy, &compiled) {
					refused++
					fmt.Printf("%s %s %s\n", at, policy.Name, problem)
				}
			}
		}
	}
	fmt.Printf("%d expressions, %d refused\n", compiled, refused)
	if refused > 0 || compiled == 0 {
		os.Exit(1)
	}
}

func read(file string) []admission.ValidatingAdmissionPolicy {
	raw, err := os.ReadFile(file)
	check(err)
	var found []admission.ValidatingAdmissionPolicy
	for reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(raw))); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return found
		}
		check(err)
		var policy admission.ValidatingAdmissionPolicy
		if yaml.Unmarshal(document, &policy) == nil && policy.Kind == "ValidatingAdmissionPolicy" {
			found = append(found, policy)
		}
	}
}

// compile returns a line for each expression that an API server of that version would refuse.
func compile(at string, policy admission.ValidatingAdmissionPolicy, compiled *int) []string {
	compiler, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(version.MustParse(at)))
	check(err)
	asking, silent := cel.OptionalVariableDeclarations{HasAuthorizer: true}, cel.OptionalVariableDeclarations{}
	var problems []string
	look := func(what string, result cel.CompilationResult) {
		*compiled++
		if result.Error != nil {
			problems = append(problems, fmt.Sprintf("%s: %s", what, result.Error.Detail))
		}
	}
	for _, c := range policy.Spec.MatchConditions {
		condition := matchconditions.MatchCondition(c)
		look("condition "+c.Name, compiler.CompileCELExpression(&condition, asking, environment.NewExpressions))
	}
	for _, v := range policy.Spec.Variables {
		variable := &validating.Variable{Name: v.Name, Expression: v.Expression}
		look("variable "+v.Name, compiler.CompileAndStoreVariable(variable, asking, environment.NewExpressions))
	}
	for i, v := range policy.Spec.Validations {
		rule := &validating.ValidationCondition{Expression: v.Expression}
		look(fmt.Sprintf("rule %d", i), compiler.CompileCELExpression(rule, asking, environment.NewExpressions))
		if v.MessageExpression != "" {
			// a message may not ask the authorizer, not even through a variable: it would silently be left out
			message := &validating.MessageExpressionCondition{MessageExpression: v.MessageExpression}
			look(fmt.Sprintf("message %d", i), compiler.CompileCELExpression(message, silent, environment.NewExpressions))
		}
	}
	for _, a := range policy.Spec.AuditAnnotations {
		annotation := &validating.AuditAnnotationCondition{Key: a.Key, ValueExpression: a.ValueExpression}
		look("annotation "+a.Key, compiler.CompileCELExpression(annotation, asking, environment.NewExpressions))
	}
	return problems
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
