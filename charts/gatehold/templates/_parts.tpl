{{/* Names, labels and decisions that several templates share. */}}

{{- define "gatehold.selector" -}}
app.kubernetes.io/name: gatehold
app.kubernetes.io/component: operator
{{- end }}

{{- define "gatehold.labels" -}}
app.kubernetes.io/part-of: gatehold
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{/* The folders of files/ that this installation has, one a line. */}}
{{- define "gatehold.folders" -}}
base
{{- if .Values.gates.argoRollouts.enabled }}
argo-rollouts
{{- end }}
{{- if .Values.gates.drains.enabled }}
drains
{{- end }}
{{- if .Values.gates.pods.enabled }}
pods
{{- end }}
{{- if .Values.gates.rollouts.enabled }}
rollouts
{{- end }}
{{- end }}

{{/* GATEHOLD_GATES: the types of Gates that this installation has. */}}
{{- define "gatehold.gates" -}}
{{- $gates := list }}
{{- if .Values.gates.argoRollouts.enabled }}{{ $gates = append $gates "ArgoRollouts" }}{{ end }}
{{- if .Values.gates.drains.enabled }}{{ $gates = append $gates "Drains" }}{{ end }}
{{- if .Values.gates.pods.enabled }}{{ $gates = append $gates "Pods" }}{{ end }}
{{- if .Values.gates.rollouts.enabled }}{{ $gates = append $gates "Rollouts" }}{{ end }}
{{- $gates | join "," | default "None" }}
{{- end }}

{{/* "true" where the API server stamps: its mutating policies are served from 1.36 on. */}}
{{- define "gatehold.stamps" -}}
{{- $served := .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" }}
{{- $new := semverCompare ">=1.36.0-0" .Capabilities.KubeVersion.Version }}
{{- if or (eq .Values.stamping "on") (and (eq .Values.stamping "auto") (or $served $new)) }}true{{ end }}
{{- end }}

{{/* "true" where the chart installs the webhook configurations; otherwise `gatehold certs init` does. */}}
{{- define "gatehold.ownsWebhooks" -}}
{{- if and .Values.webhook.enabled (eq .Values.webhook.certificates "cert-manager") }}true{{ end }}
{{- end }}

{{/* "true" where pods are marked by the webhook and not by the API server. */}}
{{- define "gatehold.marksPods" -}}
{{- if and .Values.webhook.enabled .Values.gates.pods.enabled (not (include "gatehold.stamps" .)) }}true{{ end }}
{{- end }}
