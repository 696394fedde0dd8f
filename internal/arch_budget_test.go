package arch

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// Budgets in lines. The cap binds each one, the 95th percentile the whole: one long file is allowed, a habit is not.
const (
	fileCap, fileP95         = 600, 450
	fileMedian               = 180
	functionCap, functionP95 = 80, 50
	exportedDocs             = 0.90
)

// few is the number of files or functions below which a percentile says nothing.
const few = 20

func percentile(lengths []int, p int) int {
	slices.Sort(lengths)
	return lengths[(len(lengths)-1)*p/100]
}

func TestFileLengths(t *testing.T) {
	var code []int
	for _, s := range sources(t) {
		n := s.lines()
		if n > fileCap {
			t.Errorf("%s has %d lines, more than %d", s.path, n, fileCap)
		}
		if !s.test {
			code = append(code, n)
		}
	}
	if len(code) < few {
		return
	}
	median, p95 := percentile(code, 50), percentile(code, 95)
	t.Logf("%d files: median %d, p95 %d lines", len(code), median, p95)
	if p95 > fileP95 || median > fileMedian {
		t.Errorf("files: median %d (at most %d), p95 %d (at most %d) lines", median, fileMedian, p95, fileP95)
	}
}

func TestFunctionLengths(t *testing.T) {
	var code []int
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			n := s.lastLine(f) - s.line(f.Pos()) + 1 - tableLines(s, f.Body)
			if n > functionCap {
				t.Errorf("%s:%d: %s has %d lines, more than %d", s.path, s.line(f.Pos()), f.Name.Name, n, functionCap)
			}
			if !s.test {
				code = append(code, n)
			}
		}
	}
	if len(code) < few {
		return
	}
	p95 := percentile(code, 95)
	t.Logf("%d functions: p95 %d lines", len(code), p95)
	if p95 > functionP95 {
		t.Errorf("functions: p95 %d lines, at most %d", p95, functionP95)
	}
}

// tableLines counts the lines inside literals of slices, arrays and maps: a long table is easier to read in one piece.
func tableLines(s source, body ast.Node) int {
	lines := 0
	ast.Inspect(body, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		switch literal.Type.(type) {
		case *ast.ArrayType, *ast.MapType:
			lines += max(0, s.line(literal.Rbrace)-s.line(literal.Lbrace)-1)
			return false
		}
		return true
	})
	return lines
}

func TestEveryPackageHasOneDoc(t *testing.T) {
	docs, named := map[string][]string{}, map[string]bool{}
	for _, s := range sources(t) {
		if strings.HasSuffix(s.path, "_test.go") {
			continue
		}
		named[s.folder()] = true
		if s.file.Doc != nil {
			docs[s.folder()] = append(docs[s.folder()], s.path)
		}
	}
	for folder := range named {
		if n := len(docs[folder]); n != 1 {
			t.Errorf("%s has %d package comments, want exactly one %v", folder, n, docs[folder])
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	var all, bare int
	missing := map[string]int{}
	for _, s := range sources(t) {
		if strings.HasSuffix(s.path, "_test.go") || s.file.Name.Name == "main" {
			continue
		}
		for _, d := range s.file.Decls {
			n, without := exported(d)
			all += n
			bare += without
			if without > 0 {
				missing[s.path] += without
			}
		}
	}
	if all == 0 {
		return
	}
	share := float64(all-bare) / float64(all)
	t.Logf("%d of %d exported names documented", all-bare, all)
	if share < exportedDocs {
		t.Errorf("%.0f%% of %d exported names are documented, want %.0f%%; missing by file: %v", share*100, all, exportedDocs*100, missing)
	}
}

// exported counts the exported names a declaration gives and those without a comment. A comment on a group of constants or
// variables stands for all of them.
func exported(d ast.Decl) (all, bare int) {
	count := func(documented bool) {
		all++
		if !documented {
			bare++
		}
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && exportedReceiver(d) {
			count(d.Doc != nil)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() {
					count(d.Doc != nil || spec.Doc != nil)
				}
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					if name.IsExported() {
						count(d.Doc != nil || spec.Doc != nil || spec.Comment != nil)
					}
				}
			}
		}
	}
	return all, bare
}

func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	name := f.Recv.List[0].Type
	for {
		switch x := name.(type) {
		case *ast.StarExpr:
			name = x.X
		case *ast.IndexExpr:
			name = x.X
		case *ast.IndexListExpr:
			name = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}
