// A library with a Go runtime in it, as native_library.c is one of C.
package main

import "C"
import "os"

//export native_go_file
func native_go_file() C.long {
	if _, err := os.Stat("/nonexistent"); err != nil {
		return 1
	}
	return 0
}

// The runtime makes a panic of the signal.
//
//export native_go_fault
func native_go_fault() (answer C.long) {
	var nothing *C.long

	defer func() {
		if recover() != nil {
			answer = 1
		}
	}()
	return *nothing
}

//export native_go_work
func native_go_work() C.long {
	done := make(chan int)
	for i := 0; i < 50; i++ {
		go func() { done <- len(make([]byte, 100000)) }()
	}
	sum := 0
	for i := 0; i < 50; i++ {
		sum += <-done
	}
	if sum == 5000000 {
		return 1
	}
	return 0
}

func main() {}
