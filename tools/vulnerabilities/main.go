// Command vulnerabilities looks for known vulnerabilities in what a program calls:
//
//	vulnerabilities FOLDER PACKAGE
//
// FOLDER is that of the program's module. GitHub's CI has to get an answer from Go's
// database, and counts the standard library's vulnerabilities, since it takes the newest
// release of Go. Elsewhere the database may be out of reach: its copy of a certain day is
// asked then; and a newer Go may not be there yet: its vulnerabilities are only told.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

const database = "https://vuln.go.dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv("GITHUB_ACTIONS") == "true"); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "vulnerabilities:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, onGitHub bool) error {
	if len(args) != 2 {
		return errors.New("usage: vulnerabilities FOLDER PACKAGE")
	}
	s := scanner{folder: args[0], program: args[1], database: database}
	if _, err := s.scan(ctx, "module"); err != nil {
		if onGitHub {
			return err
		}
		folder, missing := databaseCopy(ctx)
		if missing != nil {
			fmt.Printf("vulnerabilities: not checked: neither %s nor its copy can be reached\n", database)
			return nil
		}
		fmt.Printf("vulnerabilities: %s cannot be reached; this is its copy %s\n", database, copyVersion)
		s.database = "file://" + folder
	}
	// Which functions are called takes a minute and 3 GB to find out. It counts only where
	// a package with a vulnerability is linked at all.
	linked, err := s.scan(ctx, "package")
	if err != nil {
		return err
	}
	modules, standard := divided(linked)
	if len(modules) == 0 && (len(standard) == 0 || !onGitHub) {
		if len(standard) > 0 {
			fmt.Printf("vulnerabilities: none in modules; a newer Go mends %s\n", strings.Join(standard, ", "))
		}
		return nil
	}
	called, err := s.scan(ctx, "symbol")
	if err != nil {
		return err
	}
	modules, standard = divided(called)
	if onGitHub {
		modules = append(modules, standard...)
	}
	if len(modules) > 0 {
		return fmt.Errorf("the program calls what is vulnerable; go get the fixed versions:\n  %s", strings.Join(modules, "\n  "))
	}
	return nil
}
