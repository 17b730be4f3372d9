{{- define "daypass.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "daypass.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "daypass.metadata" -}}
name: {{ include "daypass.name" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "daypass.selector" . | nindent 2 }}
  app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ .Release.Service }}
  helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /* What every pod has for itself would make an installation of each. */ -}}
{{- define "daypass.config" -}}
{{- if regexMatch "(?m)^\\s*(store\\.)?url\\s*=\\s*[\"'](sqlite|memory):" .Values.config -}}
{{- fail "config: the pods of this chart share their store, so [store] url is postgres:// or dynamodb:" -}}
{{- end -}}
{{- .Values.config -}}
{{- end -}}
