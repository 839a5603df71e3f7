// Tells what the restricted Pod Security Standard forbids of pods, by Kubernetes' own evaluation of it.
// Reads a JSON list of { name, metadata, spec } and prints a line for each pod and rule that it breaks.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

type pod struct {
	Name     string            `json:"name"`
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     corev1.PodSpec    `json:"spec"`
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	var pods []pod
	check(json.NewDecoder(os.Stdin).Decode(&pods))
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	check(err)
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, pod := range pods {
		for _, result := range evaluator.EvaluatePod(restricted, &pod.Metadata, &pod.Spec) {
			if !result.Allowed {
				fmt.Printf("%s: %s (%s)\n", pod.Name, result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
	}
}
