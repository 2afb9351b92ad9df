package main

import (
	"context"
	"errors"
	"fmt"
	"go/constant"
	"go/types"
	"slices"

	"golang.org/x/tools/go/packages"
)

// list returns a line for all that users of the packages can name, sorted.
func list(ctx context.Context, folder string, patterns []string) ([]string, error) {
	loaded, err := packages.Load(&packages.Config{
		Context: ctx, Dir: folder, Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports,
	}, patterns...)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, p := range loaded {
		for _, mistake := range p.Errors {
			err = errors.Join(err, mistake)
		}
		if p.Types != nil {
			lines = append(lines, public(p.Types)...)
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines), err
}

// public are the lines of a package.
func public(p *types.Package) []string {
	l := &lister{of: p}
	for _, name := range p.Scope().Names() {
		if object := p.Scope().Lookup(name); object.Exported() {
			l.object(object)
		}
	}
	return l.lines
}

type lister struct {
	of    *types.Package
	lines []string
}

func (l *lister) add(format string, args ...any) {
	l.lines = append(l.lines, "pkg "+l.of.Name()+", "+fmt.Sprintf(format, args...))
}

// text is a type as code of the package writes it.
func (l *lister) text(of types.Type) string {
	return types.TypeString(of, func(p *types.Package) string {
		if p == l.of {
			return ""
		}
		return p.Path()
	})
}

func (l *lister) object(object types.Object) {
	switch o := object.(type) {
	case *types.Const:
		value := ""
		if o.Val().Kind() == constant.String {
			// Others compare it with what they read.
			value = " = " + o.Val().ExactString()
		}
		l.add("const %s %s%s", o.Name(), l.text(o.Type()), value)
	case *types.Var:
		l.add("var %s %s", o.Name(), l.text(o.Type()))
	case *types.Func:
		l.add("func %s%s", o.Name(), l.signature(o))
	case *types.TypeName:
		if o.IsAlias() {
			l.add("type %s = %s", o.Name(), l.text(types.Unalias(o.Type())))
			return
		}
		l.named(o)
	}
}

// signature is without "func", and without names of parameters, which users cannot see.
func (l *lister) signature(f *types.Func) string {
	signature := f.Signature()
	bare := types.NewSignatureType(nil, nil, slices.Collect(signature.TypeParams().TypeParams()),
		unnamed(signature.Params()), unnamed(signature.Results()), signature.Variadic())
	return l.text(bare)[len("func"):]
}

func unnamed(of *types.Tuple) *types.Tuple {
	var variables []*types.Var
	for v := range of.Variables() {
		variables = append(variables, types.NewParam(v.Pos(), v.Pkg(), "", v.Type()))
	}
	return types.NewTuple(variables...)
}

func (l *lister) named(name *types.TypeName) {
	switch under := name.Type().Underlying().(type) {
	case *types.Struct:
		l.add("type %s struct", name.Name())
		for field := range under.Fields() {
			if field.Exported() {
				l.add("type %s struct, %s %s `%s`", name.Name(), field.Name(), l.text(field.Type()), tag(under, field))
			}
		}
	case *types.Interface:
		l.interfaces(name, under)
	default:
		l.add("type %s %s", name.Name(), l.text(under))
	}
	methods := types.NewMethodSet(types.NewPointer(name.Type()))
	if types.IsInterface(name.Type()) {
		return
	}
	for method := range methods.Methods() {
		f, ok := method.Obj().(*types.Func)
		if !ok || !f.Exported() {
			continue
		}
		on := "*" + name.Name()
		if types.NewMethodSet(name.Type()).Lookup(f.Pkg(), f.Name()) != nil {
			on = name.Name()
		}
		l.add("method (%s) %s%s", on, f.Name(), l.signature(f))
	}
}

// tag is what marshalled objects look like.
func tag(of *types.Struct, field *types.Var) string {
	for i := range of.NumFields() {
		if of.Field(i) == field {
			return of.Tag(i)
		}
	}
	return ""
}

// interfaces that others can implement must not grow: all their methods are one line.
func (l *lister) interfaces(name *types.TypeName, of *types.Interface) {
	closed := false
	all := ""
	for method := range of.Methods() {
		closed = closed || !method.Exported()
		if method.Exported() {
			all += " " + method.Name() + l.signature(method) + ";"
		}
	}
	if !closed {
		l.add("type %s interface {%s }", name.Name(), all)
		return
	}
	l.add("type %s interface, closed", name.Name())
	for method := range of.Methods() {
		if method.Exported() {
			l.add("type %s interface, %s%s", name.Name(), method.Name(), l.signature(method))
		}
	}
}
