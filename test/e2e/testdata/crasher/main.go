// Command crasher is a service that never comes up. Without arguments it says why
// and ends; "eat" takes memory until it is killed, "unready" answers every probe
// that it is not ready.
package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "eat":
		eat()
	case len(os.Args) > 1 && os.Args[1] == "unready":
		fmt.Println("waiting for the database")
		fmt.Println(http.ListenAndServe(":8080", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no database", http.StatusServiceUnavailable)
		})))
	}
	fmt.Println("connecting to the database with password=hunter2")
	fmt.Println("\x1b]0;owned\a\x1b[36mDB_PASS\x1b[0m=\x1b[33mhunter2\x1b[0m \u202ereversed")
	fmt.Println("fatal: relation \"events\" does not exist")
	os.Exit(17)
}

func eat() {
	var eaten [][]byte
	for {
		piece := make([]byte, 1<<20)
		for i := range piece {
			piece[i] = 1
		}
		eaten = append(eaten, piece)
		if len(eaten) == 1<<10 {
			return
		}
	}
}
