package packages

import "bytes"

// parseApkRecord reads a paragraph of apk's database of installed packages
// (wiki.alpinelinux.org, "Apk spec"): lines "X:value".
func parseApkRecord(p []byte) (*record, error) {
	rec := new(record)
	dir := ""
	for line := range bytes.Lines(p) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) < 2 || line[1] != ':' {
			return nil, errNoField
		}
		switch value := string(line[2:]); line[0] {
		case 'P':
			rec.name = value
		case 'V':
			rec.version = value
		case 'A':
			rec.arch = value
		case 'F':
			dir = value + "/"
		case 'R':
			rec.files = append(rec.files, dir+value)
		}
	}
	if rec.name == "" {
		return nil, errNoName
	}
	return rec, nil
}
