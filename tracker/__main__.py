"""`python -m tracker` is the command `soleus`."""

from tracker.cli.main import run

if __name__ == "__main__":
    run()
