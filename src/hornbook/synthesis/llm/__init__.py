"""The language-model writer: what is asked is drawn before the model is asked, and nothing is kept that does not hold.

prompts.py     every question, and the JSON it is to be answered with
asking.py      one round of questions to a teacher; who did not answer is counted
reading.py     answers into JSON, Markdown and functions
textbooks.py   outline → sections
revision.py    a section is run, examined and rewritten; the rewrite has to earn its place
exercises.py   signature and docstring → solution and tests → votes
reversal.py    code of the corpus → exercise → code again
functions.py   functions of the corpus that stand on their own
jobs.py        from a config to rounds of rows: all that is asked for is drawn here
screen.py      what execution decides: own tests, mutants, votes
"""
