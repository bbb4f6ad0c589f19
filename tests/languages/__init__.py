"""The languages of the pages: how one is chosen, and whether every sentence is there in each."""
