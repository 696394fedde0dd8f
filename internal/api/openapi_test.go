package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/api")

func described(t *testing.T, old bool) map[string]any {
	t.Helper()
	raw, err := OpenAPI(old)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestCommittedDescriptionIsCurrent(t *testing.T) {
	for name, old := range map[string]bool{"openapi.json": false, "openapi-3.0.json": true} {
		want, err := OpenAPI(old)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("..", "..", "docs", "api", name)
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("docs/api/%s is not what the code says: run go test ./internal/api -run Committed -update", name)
		}
	}
}

// at goes down a document by keys.
func at(v any, keys ...string) any {
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

func TestDescriptionSaysWhatAgIDAsks(t *testing.T) {
	for _, old := range []bool{false, true} {
		doc := described(t, old)
		want := "3.1."
		if old {
			want = "3.0."
		}
		if v, _ := at(doc, "openapi").(string); !strings.HasPrefix(v, want) {
			t.Errorf("openapi = %q, want %s…", v, want)
		}
		for _, keys := range [][]string{{"x-api-id"}, {"x-summary"}, {"termsOfService"}, {"description"}, {"contact", "url"}, {"license", "url"}} {
			if s, _ := at(at(doc, "info"), keys...).(string); s == "" {
				t.Errorf("info.%s is missing", strings.Join(keys, "."))
			}
		}
		if at(doc, "info", "license", "name") != "EUPL-1.2" {
			t.Error("the licence is not EUPL-1.2")
		}
		servers, _ := at(doc, "servers").([]any)
		if len(servers) == 0 {
			t.Error("no servers")
		}
		for _, s := range servers {
			if url, _ := at(s, "url").(string); !strings.HasPrefix(url, "https://") || !strings.HasSuffix(url, "/v1") {
				t.Errorf("server %q is not https with the version", url)
			}
		}
	}
}

// operations visits every operation of a description.
func operations(doc map[string]any, visit func(name string, op map[string]any)) {
	for path, item := range doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			visit(strings.ToUpper(method)+" "+path, op.(map[string]any))
		}
	}
}

func TestEveryOperationIsDescribed(t *testing.T) {
	doc, ids, seen := described(t, false), map[string]bool{}, 0
	operations(doc, func(name string, op map[string]any) {
		seen++
		for _, key := range []string{"operationId", "summary", "description"} {
			if s, _ := op[key].(string); s == "" {
				t.Errorf("%s has no %s", name, key)
			}
		}
		if tags, _ := op["tags"].([]any); len(tags) == 0 {
			t.Errorf("%s has no tag", name)
		}
		if id := fmt.Sprint(op["operationId"]); ids[id] {
			t.Errorf("operationId %s twice", id)
		} else {
			ids[id] = true
		}
		responses := op["responses"].(map[string]any)
		for status, response := range responses {
			code, err := strconv.Atoi(status)
			if err != nil {
				t.Errorf("%s: response %q is not a status", name, status)
			}
			if code >= 400 && at(response, "content", problemMedia, "schema", "$ref") != "#/components/schemas/Problem" {
				t.Errorf("%s: %s is not a problem+json", name, status)
			}
			for _, header := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
				if at(response, "headers", header) == nil {
					t.Errorf("%s: %s has no %s", name, status, header)
				}
			}
		}
		if at(responses["429"], "headers", "Retry-After") == nil {
			t.Errorf("%s: 429 without Retry-After", name)
		}
	})
	if seen < 20 {
		t.Errorf("%d operations: the walk saw too little", seen)
	}
	if at(doc, "paths", "/status", "get", "responses", "200", "content", problemMedia) == nil {
		t.Error("/status does not answer problem+json")
	}
}

// unbounded appends what has no format or limits: every string, number, list and open map must.
func unbounded(found []string, v any, where string) []string {
	schema, ok := v.(map[string]any)
	if !ok {
		return found
	}
	missing := func(keys ...string) bool {
		return !slices.ContainsFunc(keys, func(k string) bool { return schema[k] != nil })
	}
	lacks := func(what string) { found = append(found, where+" "+what) }
	types, _ := schema["type"].([]any)
	if s, ok := schema["type"].(string); ok {
		types = append(types, s)
	}
	for _, kind := range types {
		switch kind {
		case "string":
			if missing("maxLength") {
				lacks("has no maxLength")
			}
			if missing("format", "pattern", "enum") {
				lacks("has no format, pattern or enum")
			}
		case "integer", "number":
			if missing("minimum") || missing("maximum") || missing("format") {
				lacks("has no minimum, maximum and format")
			}
		case "array":
			if missing("maxItems") {
				lacks("has no maxItems")
			}
		case "object":
			if extra := schema["additionalProperties"]; extra != nil && extra != false && missing("maxProperties") {
				lacks("has additionalProperties and no maxProperties")
			}
		}
	}
	return found
}

// walk looks at every schema of a document, wherever it stands.
func walk(found []string, v any, where string) []string {
	switch v := v.(type) {
	case map[string]any:
		if kind, ok := v["type"]; ok {
			if s, ok := kind.(string); ok && s != "http" || !ok && kind != nil {
				if _, property := kind.(map[string]any); !property { // a property that is called type
					found = unbounded(found, v, where)
				}
			}
		}
		for key, below := range v {
			found = walk(found, below, where+"/"+key)
		}
	case []any:
		for i, below := range v {
			found = walk(found, below, where+"/"+strconv.Itoa(i))
		}
	}
	return found
}

func TestEveryValueHasFormatAndLimits(t *testing.T) {
	for _, old := range []bool{false, true} {
		for _, violation := range walk(nil, described(t, old), "") {
			t.Error(violation)
		}
	}
	// the walk itself must be able to find something
	bare := map[string]any{"a": map[string]any{"type": "string"}, "b": map[string]any{"type": []any{"array", "null"}}, "c": map[string]any{"type": "integer", "minimum": 0.0}}
	if found := walk(nil, bare, ""); len(found) != 4 {
		t.Errorf("the walk finds %d of 4 faults: %v", len(found), found)
	}
}
