// Command cross checks that the program compiles for the other systems that it is released for, without compiling it: the types of every
// package of ours are checked as that system's compiler would see them. Bodies of functions elsewhere are left out, which makes it take
// seconds where go build takes minutes. Releases are built in full.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	root, err := filepath.Abs("..")
	if err == nil {
		for _, system := range os.Args[1:] {
			if err = check(root, system); err != nil {
				break
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cross:", err)
		os.Exit(1)
	}
}

// check has the packages of the program checked for a system in the form GOOS/GOARCH.
func check(root, system string) error {
	goos, goarch, _ := strings.Cut(system, "/")
	found, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps |
			packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedTypesSizes | packages.NeedModule,
		Dir: root, Env: append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0"), ParseFile: ours(root).parse,
	}, "./cmd/...", "./client")
	if err != nil {
		return err
	}
	n := 0
	var wrong []string
	packages.Visit(found, nil, func(p *packages.Package) {
		if p.Module == nil || !p.Module.Main {
			return
		}
		n++
		for _, e := range p.Errors {
			wrong = append(wrong, e.Error())
		}
	})
	if len(wrong) > 0 {
		return fmt.Errorf("%s:\n%s", system, strings.Join(wrong, "\n"))
	}
	if n == 0 {
		return fmt.Errorf("%s: no package of ours was found in %s", system, root)
	}
	fmt.Printf("%s: %d packages\n", system, n)
	return nil
}

// ours is the folder of the sources whose function bodies are read.
type ours string

func (o ours) parse(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
	f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err == nil && !strings.HasPrefix(name, string(o)+string(filepath.Separator)) {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				fn.Body = nil
			}
		}
	}
	return f, err
}
