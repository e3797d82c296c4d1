"""What hosts load: IPython (``%load_ext pjais_lab``) and Jupyter's server."""
