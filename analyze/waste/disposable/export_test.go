package disposable

// CheckReport is for the tests that import analyze, which imports this package.
var CheckReport = checkReport
