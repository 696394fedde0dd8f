package engine

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

func TestTextsAreComplete(t *testing.T) {
	for code, text := range texts {
		if strings.TrimSpace(text.IT) == "" || strings.TrimSpace(text.EN) == "" || text.IT == text.EN {
			t.Errorf("%s: %+v", code, text)
		}
		it, en := placeholder.FindAllString(text.IT, -1), placeholder.FindAllString(text.EN, -1)
		slices.Sort(it)
		slices.Sort(en)
		if !slices.Equal(it, en) {
			t.Errorf("%s: the Italian names %v, the English %v", code, it, en)
		}
	}
}

// codesIn finds the calls refuse("code", "name", …) and problem(pointer, "code", "name", …) of a file: code to the names given.
func codesIn(f *ast.File) map[string][]string {
	out := map[string][]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		name, ok := call.Fun.(*ast.Ident)
		first := map[string]int{"refuse": 0, "problem": 1}
		if at, known := first[identName(name, ok)]; known && len(call.Args) > at {
			if code, ok := literal(call.Args[at]); ok {
				names := []string{}
				for i := at + 1; i < len(call.Args); i += 2 {
					if p, ok := literal(call.Args[i]); ok {
						names = append(names, p)
					}
				}
				out[code] = append(out[code], names...)
			}
		}
		return true
	})
	return out
}

func identName(id *ast.Ident, ok bool) string {
	if !ok {
		return ""
	}
	return id.Name
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

func TestEveryCodeHasItsText(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for code, names := range codesIn(f) {
			found++
			text, ok := texts[code]
			if !ok {
				t.Errorf("code %s has no text", code)
				continue
			}
			for _, p := range placeholder.FindAllString(text.IT, -1) {
				if !slices.Contains(names, strings.Trim(p, "{}")) {
					t.Errorf("%s: nobody gives %s", code, p)
				}
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d codes found: the search is broken", found)
	}
}

func TestParametersAreInserted(t *testing.T) {
	r := refuse("field_empty", "field", "Importo", "field_en", "Value")
	if r.Text.IT != "Importo: manca." || r.Text.EN != "Value: missing." || r.Params["field"] != "Importo" {
		t.Errorf("%+v", r)
	}
	if p := problem("/x", "limit_range", "max", "200"); !strings.Contains(p.Text.EN, "200") || p.Pointer != "/x" {
		t.Errorf("%+v", p)
	}
}
