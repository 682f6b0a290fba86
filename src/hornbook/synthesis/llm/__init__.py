"""The language-model writer: what is asked is drawn before the model is asked, and nothing is kept that does not hold.

commission.py  from a config to rows: all that is to be written is drawn here
prompts.py     every question, and the JSON it is to be answered with
asking.py      rounds of questions to a teacher; who did not answer is counted
reading.py     answers into Markdown and functions
screen.py      what execution decides about exercises: own tests, mutants, votes
textbooks.py   outline → sections
revision.py    a section is run, examined and rewritten; the rewrite has to earn its place
exercises.py   signature and docstring → solution and tests → votes
functions.py   functions of the corpus that stand on their own
reversal.py    code of the corpus → exercise → code again
"""
