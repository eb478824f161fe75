"""The filters and orders of a search: text → syntax tree → SQL in which every value is bound."""
