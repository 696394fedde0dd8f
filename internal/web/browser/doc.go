// Package browser looks at the pages as people do: in a real Chromium, on the real `sua serve --demo`.
//
// There is no code beside the tests. The Go test builds and starts the program, fetches what drives the browser (package-lock.json
// pins it) into the user's cache and runs the scripts: walk.mjs looks at every page that a person is led to, flows.mjs takes a
// request from its first word to the desk of the SUA, self.mjs proves that the checks of page.mjs find what they look for. The tests
// of package web ask the same pages about their content without a browser; they are quicker, and the place for rules of a form.
package browser
