"""stub"""
class SpecReport:
    def __init__(self, result, root): self.r=result
    def __str__(self): return "\n".join(f"{m.where}: {m.reason} | {m.expected} | {m.actual} | {m.hint}" for _,m in self.r.failures)
    def toterminal(self, tw): tw.line(str(self))
