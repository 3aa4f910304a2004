import gzip, json, sys
import rules
OTHERS=set(range(0,31))|{38,39,42,43}|{48,49}|set(range(64,100))
class Skip(Exception): pass
KNOWN={int(n[5:]) for n in dir(rules.Module) if n.startswith('leaf_')}

def play(scenario, on_diff):
    nest=[]
    def event(lp,kind):
        for f in list(nest):
            if f['lp']==lp:
                for k,n in enumerate(f['list']):
                    if n['at']==kind and k not in f['done']:
                        f['done'].add(k)
                        step(n['step'])
    m=rules.Module(scenario['platform'],event)
    def step(st):
        for pa,data in st.get('write',[]):
            m.mem.write(m.without_keyid(int(pa,16)),bytes.fromhex(data))
        regs={'rax':st['leaf'],**{r:0 for r in rules.REGS}}
        for r,v in st.get('in',{}).items(): regs[r]=int(v,16)
        lf=regs['rax']&0xffff
        if m.state==rules.READY and lf in LEAVES and lf not in KNOWN: raise Skip
        frame={'lp':st['lp'],'list':st.get('nested',[]),'done':set()}
        nest.append(frame)
        for i in range(st.get('repeat',1)):
            try:
                out=m.call(st['lp'],regs)
                got={k:hex(v) for k,v in out.items()}
            except rules.Fatal as e:
                got=str(e)
                if got!=st.get('fatal'): on_diff(st,i,got)
                return False
            want=st.get('out') or st.get('fatal')
            if got!=want: on_diff(st,i,got)
        nest.pop()
        for pa,data in st.get('read',[]):
            have=m.mem.read(m.without_keyid(int(pa,16)),len(data)//2)
            if have.hex()!=data: on_diff(st,'read '+pa,have.hex())
        return True
    for st in scenario['steps']: step(st)
LEAVES={int(r['leaf']) for r in rules.table('seamcall_leaves')}
if __name__=='__main__':
    ok=bad=skip=0
    for f in sys.argv[1:]:
        for line in (gzip.open if f.endswith('.gz') else open)(f,'rt'):
            s=json.loads(line); diffs=[]
            try: play(s,lambda st,i,got: diffs.append((st,i,got)))
            except Skip: skip+=1; continue
            if diffs:
                bad+=1
                if bad<20:
                    st,i,got=diffs[0]; print(s['name'],s.get('note'),st['lp'],st['leaf'],st.get('in'),'want',st.get('out',st.get('fatal')),'got',got,i)
            else: ok+=1
    print(ok,bad,skip)
