package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
`

// gpl begins what the GNU licence tells to put into each file.
const gpl = `This program is free software: you can redistribute it and/or modify
it under the terms of the GNU General Public License as published by
the Free Software Foundation, either version 3 of the License, or
(at your option) any later version.

This program is distributed in the hope that it will be useful,
but WITHOUT ANY WARRANTY; without even the implied warranty of
MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
GNU General Public License for more details.

You should have received a copy of the GNU General Public License
along with this program.  If not, see <https://www.gnu.org/licenses/>.
`

func TestLicencesAreTold(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files          map[string]string
		found, problem string
	}{
		"allowed":                      {map[string]string{"LICENSE": "Copyright (c) 2024 A. Author\n\n" + mit}, "MIT", ""},
		"and one of documentation":     {map[string]string{"LICENSE": mit, "LICENSE.docs": gpl, "license_test.go": "package x"}, "MIT", ""},
		"in another spelling":          {map[string]string{"licence.md": mit}, "MIT", ""},
		"of another kind":              {map[string]string{"COPYING": gpl}, "", "COPYING has GPL"},
		"of another kind, and one":     {map[string]string{"LICENSE": mit, "LICENSE.gpl": gpl}, "", "LICENSE.gpl has GPL"},
		"one's own words":              {map[string]string{"LICENSE": "Use it as you like, but only on Sundays."}, "", "is no licence that is known"},
		"with many words of one's own": {map[string]string{"LICENSE": mit + strings.Repeat("You may not use it in winter. ", 50)}, "", "is no licence that is known"},
		"none":                         {map[string]string{"README.md": mit}, "", "no file with a licence"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for file, text := range test.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			found, problem := check(module{folders: []string{dir}})
			if problem == "" != (test.problem == "") || !strings.Contains(problem, test.problem) {
				t.Fatalf("problem %q, want %q", problem, test.problem)
			}
			if got := strings.Join(found, " "); test.problem == "" && got != test.found {
				t.Errorf("%q, want %q", got, test.found)
			}
		})
	}
}

func TestFoldersAboveAPackageAreLookedAtUpToItsModule(t *testing.T) {
	t.Parallel()
	found := map[string]*module{}
	err := collect(`{"Dir": "/go/fmt"}
{"Dir": "/src/cmd", "Module": {"Path": "example.com/own", "Dir": "/src", "Main": true}}
{"Dir": "/mod/x@v1/third_party/y", "Module": {"Path": "example.com/x", "Version": "v1.0.0", "Dir": "/mod/x@v1"}}
{"Dir": "/mod/fork@v2", "Module": {"Path": "example.com/z", "Version": "v1.0.0", "Replace": {"Path": "example.com/fork", "Dir": "/mod/fork@v2"}}}
`, found)
	if err != nil || len(found) != 2 {
		t.Fatalf("%v, %v", found, err)
	}
	if got := strings.Join(found["example.com/x"].folders, " "); got != "/mod/x@v1/third_party/y /mod/x@v1/third_party /mod/x@v1" {
		t.Error(got)
	}
	if got := strings.Join(found["example.com/z"].folders, " "); got != "/mod/fork@v2" {
		t.Error(got)
	}
}
