"""The recorder that runs in the background: started by the system, looked at by `soleus status`."""
