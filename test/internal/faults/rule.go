// Package faults makes things go wrong at an exact point between the product and
// a real cluster: at one call to one node's containerd (Engine), or at one request
// to the API server (API). Everything else is passed on as it is.
package faults

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// Environment variables of the program that stands in front of an engine's CLI.
const (
	// RealVariable holds the path of the real CLI.
	RealVariable = "E2EIMAGE_FAULT_REAL"
	// RulesVariable holds a JSON list of Rules.
	RulesVariable = "E2EIMAGE_FAULT_RULES"
	// BusyVariable holds the path of a file that is locked as long as something
	// still goes on in a node, also after the product was killed.
	BusyVariable = "E2EIMAGE_FAULT_BUSY"
)

// Connect is the call with which a node is connected, before any other.
const Connect = "connect"

// Rule says what happens at a call.
type Rule struct {
	// Call as the APIs name it, like "Images/Create", or Connect; "" is any.
	Call string
	// Node, "" is any.
	Node string
	// After the call instead of before it.
	After bool
	// Mark is a file to create; with Once the rule holds for whoever creates it.
	Mark string
	Once bool
	// Hold is how long the call is held up.
	Hold time.Duration
	// Signal goes to the product's process.
	Signal syscall.Signal
	// Fail is what the call fails with, as containerd would say it.
	Fail string
}

func (r Rule) at(call, node string, after bool) bool {
	return (r.Call == "" || r.Call == call) && (r.Node == "" || r.Node == node) && r.After == after
}

// apply does what the rule says to the product's process, and returns how the
// call fails.
func (r Rule) apply(product int) error {
	if r.Mark != "" {
		mark, err := os.OpenFile(r.Mark, os.O_CREATE|os.O_EXCL, 0o600)
		switch {
		case err == nil:
			_ = mark.Close()
		case r.Once && errors.Is(err, fs.ErrExist):
			return nil
		}
	}
	if r.Signal != 0 {
		if err := syscall.Kill(product, r.Signal); err != nil {
			return err
		}
	}
	// The fault itself, as the rule has it: a node that is slow to answer. There is
	// nothing to wait for.
	time.Sleep(r.Hold)
	if r.Fail != "" {
		return errors.New(r.Fail)
	}
	return nil
}

// Rules apply in their order.
type Rules []Rule

func (r Rules) apply(call, node string, after bool, product int) error {
	for _, rule := range r {
		if !rule.at(call, node, after) {
			continue
		}
		if err := rule.apply(product); err != nil {
			return err
		}
	}
	return nil
}

// Variables are the environment for the program in front of the engine's CLI.
func Variables(real string, rules ...Rule) ([]string, error) {
	text, err := json.Marshal(rules)
	if err != nil {
		return nil, err
	}
	return []string{RealVariable + "=" + real, RulesVariable + "=" + string(text)}, nil
}
