"""The pages as such: structure, words of strangers, the stylesheet and its contrasts, the scripts in a real browser."""
