"""`harness doctor`: what Harness needs of this machine and this project, looked at one by one."""
