// Package suggest finds the word that was meant.
package suggest

import "strings"

// Word returns the known word that is most like a mistyped one, empty if none is near.
func Word(word string, known []string) string {
	best, least := "", max(2, len(word)/3)+1
	for _, k := range known {
		distance := Distance(strings.ToLower(word), k)
		if len(word) > 2 && strings.HasPrefix(k, word) {
			distance = 1
		}
		if distance < least {
			best, least = k, distance
		}
	}
	return best
}

// Distance returns how many letters to insert, delete or change (Levenshtein).
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
