// Command crasher is a service that never comes up: it says why and ends.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Println("connecting to the database with password=hunter2")
	fmt.Println("fatal: relation \"events\" does not exist")
	os.Exit(17)
}
