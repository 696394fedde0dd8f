package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = ".."

// source is one Go file of ours, written by hand.
type source struct {
	path string // from the top of the repository, with slashes
	test bool   // compiled into tests only, or written for them (storetest)
	file *ast.File
	fset *token.FileSet
}

func (s source) folder() string          { return filepath.ToSlash(filepath.Dir(s.path)) }
func (s source) line(p token.Pos) int    { return s.fset.Position(p).Line }
func (s source) lines() int              { return s.fset.File(s.file.Pos()).LineCount() }
func (s source) lastLine(n ast.Node) int { return s.line(n.End()) }

// walk visits every file of the repository that people write, and none of those that are fetched, built or stored.
func walk(t *testing.T, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{".git", "node_modules", "bin", "data", "dist"}, d.Name()) {
			return filepath.SkipDir
		}
		if !d.IsDir() {
			visit(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sources parses every Go file except generated ones (*_templ.go and the like).
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	fset := token.NewFileSet()
	walk(t, func(path string) {
		if filepath.Ext(path) != ".go" || strings.Contains(filepath.ToSlash(path), "/testdata/") {
			return
		}
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Logf("left out, does not parse: %v", err)
			return
		}
		if ast.IsGenerated(file) {
			return
		}
		name := strings.TrimPrefix(filepath.ToSlash(path), root+"/")
		test := strings.HasSuffix(name, "_test.go") || strings.HasSuffix(filepath.Dir(name), "test")
		all = append(all, source{path: name, test: test, file: file, fset: fset})
	})
	return all
}

// calls visits every use of name.member, such as time.Now, however deep.
func (s source) calls(visit func(name, member string, line int)) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok {
				visit(x.Name, sel.Sel.Name, s.line(n.Pos()))
			}
		}
		return true
	})
}

func TestClockAndSleep(t *testing.T) {
	for _, s := range sources(t) {
		domain := slices.ContainsFunc(clockless, func(c string) bool { return s.folder() == c || strings.HasPrefix(s.folder(), c+"/") })
		s.calls(func(name, member string, line int) {
			if name != "time" {
				return
			}
			if domain && !s.test && slices.Contains([]string{"Now", "Since", "Until"}, member) {
				t.Errorf("%s:%d: time.%s: the domain is told the time", s.path, line, member)
			}
			if s.test && member == "Sleep" {
				t.Errorf("%s:%d: time.Sleep in a test: wait for what shall happen, or move the clock", s.path, line)
			}
		})
	}
}

func TestNoTestIsSkipped(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test {
			continue
		}
		s.calls(func(name, member string, line int) {
			if slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, member) {
				t.Errorf("%s:%d: %s.%s: a test that does not run proves nothing", s.path, line, name, member)
			}
		})
	}
}

func TestNoInit(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s:%d: init(): wire it by hand where the program starts", s.path, s.line(f.Pos()))
			}
		}
	}
}

// Interfaces come with their second implementation. The first two are free: a young tree has few structs.
func TestFewInterfaces(t *testing.T) {
	interfaces, structs := 0, 0
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				switch spec.Type.(type) {
				case *ast.InterfaceType:
					interfaces++
				case *ast.StructType:
					structs++
				}
			}
			return true
		})
	}
	t.Logf("%d interfaces, %d structs", interfaces, structs)
	if interfaces > 2 && interfaces*10 >= structs {
		t.Errorf("%d interfaces for %d structs: fewer than one in ten is enough", interfaces, structs)
	}
}

// machinePath finds paths that exist on one machine only. It is put together here so as not to find itself.
var machinePath = regexp.MustCompile(`(^|[^a-zA-Z0-9_.$}/])/(` + strings.Join([]string{"work", "farm", "tmp", "root", "home"}, "|") + `)/`)

func TestNoPathOfOneMachine(t *testing.T) {
	texts := []string{".go", ".templ", ".yaml", ".yml", ".md", ".sql", ".sh", ".json", ".css", ".js", ".scn", ".golden", ".txt", ""}
	walk(t, func(path string) {
		if !slices.Contains(texts, filepath.Ext(path)) {
			return
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if machinePath.MatchString(line) {
				t.Errorf("%s:%d: a path of one machine: %.80s", path, i+1, strings.TrimSpace(line))
			}
		}
	})
}
