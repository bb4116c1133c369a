//! A virtual machine: a worker of Envoy, or its main thread.

use super::process::{Call, Process};
use super::stream::{Map, Reply, Stream};
use super::{imports, module};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use wasmi::{Instance, Memory, Store, TypedFunc, WasmParams, WasmResults};

/// An effect that Envoy carries out when the entry has returned.
pub(super) enum Action {
    Resume(u32),
    Reply(u32, Box<Reply>),
}

/// An event of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Forwarded(u32),
    Replied(u32),
    /// The module has resumed and refused the same request, or one that was decided.
    DecidedTwice(u32),
    /// Response headers have gone to the client.
    Responded(u32),
}

/// The end of a call.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Says(u32, String),
    /// The connection broke; Envoy reports no headers.
    Cut,
}

pub(crate) struct Data {
    pub(super) process: Rc<RefCell<Process>>,
    memory: Option<Memory>,
    allocate: Option<TypedFunc<i32, i32>>,
    pub(super) streams: BTreeMap<u32, Stream>,
    /// The roots, and the period of each one's ticks; 0 is none.
    pub(super) roots: BTreeMap<u32, u64>,
    /// The context of the entry, and the one that the module has chosen instead; 0 is none.
    pub(super) current: u32,
    pub(super) effective: u32,
    pub(super) configuration: Vec<u8>,
    /// The response whose callback runs.
    pub(super) response: Option<(Map, Vec<u8>)>,
    pub(super) actions: Vec<Action>,
    pub(super) calls: Vec<Call>,
    pub(super) last_token: u32,
}

impl Data {
    pub(super) fn memory(&self) -> Memory {
        self.memory.expect("a memory")
    }

    pub(super) fn allocator(&self) -> TypedFunc<i32, i32> {
        self.allocate.expect("an allocator")
    }

    pub(super) fn knows(&self, context: u32) -> bool {
        self.roots.contains_key(&context) || self.streams.contains_key(&context)
    }

    pub(super) fn acting(&self) -> u32 {
        if self.effective != 0 && self.knows(self.effective) {
            self.effective
        } else {
            self.current
        }
    }

    /// The stream that the host acts for.
    pub(super) fn stream(&mut self) -> Option<&mut Stream> {
        let acting = self.acting();
        self.streams.get_mut(&acting)
    }
}

pub(crate) struct Vm {
    store: Store<Data>,
    instance: Instance,
    events: Vec<Event>,
    last_context: u32,
    /// How often the host has entered the virtual machine.
    pub(crate) entries: u64,
    counts_instructions: bool,
    /// Whether an entry has ended it.
    is_dead: bool,
}

/// The state of a virtual machine between two entries, without streams and calls. Its stack is empty then, so that its
/// memory is all that differs.
#[derive(Clone)]
pub(crate) struct Snapshot {
    memory: Vec<u8>,
    roots: BTreeMap<u32, u64>,
    last_context: u32,
    last_token: u32,
}

const FUEL: u64 = u64::MAX / 2;

impl Vm {
    pub(crate) fn new(process: &Rc<RefCell<Process>>, counts_instructions: bool) -> Self {
        let (engine, module) = module(counts_instructions);
        let data = Data {
            process: Rc::clone(process),
            memory: None,
            allocate: None,
            streams: BTreeMap::new(),
            roots: BTreeMap::new(),
            current: 0,
            effective: 0,
            configuration: Vec::new(),
            response: None,
            actions: Vec::new(),
            calls: Vec::new(),
            last_token: 0,
        };
        let mut store = Store::new(engine, data);
        if counts_instructions {
            store.set_fuel(FUEL).unwrap();
        }
        let linker = imports::linker(engine, module);
        let instance = linker.instantiate_and_start(&mut store, module).expect("an instance");
        store.data_mut().memory = instance.get_memory(&store, "memory");
        let allocate = instance.get_typed_func(&store, "proxy_on_memory_allocate");
        store.data_mut().allocate = Some(allocate.expect("an allocator"));
        let (events, last_context, entries, is_dead) = (Vec::new(), 0, 0, false);
        let mut vm =
            Self { store, instance, events, last_context, entries, counts_instructions, is_dead };
        vm.enter::<_, ()>("_initialize", 0, ());
        vm
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let data = self.store.data();
        Snapshot {
            memory: data.memory().data(&self.store).to_vec(),
            roots: data.roots.clone(),
            last_context: self.last_context,
            last_token: data.last_token,
        }
    }

    /// Takes on an earlier state, in another process. `false` if this virtual machine is dead.
    pub(crate) fn restore(&mut self, snapshot: &Snapshot, process: &Rc<RefCell<Process>>) -> bool {
        let memory = self.store.data().memory();
        let (before, grown) = memory.data_mut(&mut self.store).split_at_mut(snapshot.memory.len());
        before.copy_from_slice(&snapshot.memory);
        grown.fill(0);
        let data = self.store.data_mut();
        data.process = Rc::clone(process);
        data.streams.clear();
        data.calls.clear();
        data.actions.clear();
        data.roots.clone_from(&snapshot.roots);
        data.last_token = snapshot.last_token;
        self.last_context = snapshot.last_context;
        self.events.clear();
        !self.is_dead
    }

    /// Enters the virtual machine, and carries out what the module has asked for. `None` if it is dead.
    fn enter<P: WasmParams, R: WasmResults>(
        &mut self,
        export: &str,
        context: u32,
        arguments: P,
    ) -> Option<R> {
        if self.is_dead {
            return None;
        }
        self.entries += 1;
        let data = self.store.data_mut();
        (data.current, data.effective) = (context, 0);
        let function = self.instance.get_typed_func::<P, R>(&self.store, export);
        let result = function.expect("an export").call(&mut self.store, arguments);
        let data = self.store.data_mut();
        (data.current, data.effective) = (0, 0);
        match result {
            Ok(result) => Some(result),
            Err(trap) => {
                self.is_dead = true;
                data.process.borrow_mut().traps.push(format!("{export} of {context}: {trap}"));
                None
            }
        }
    }

    /// Carries out the effects of the last entry. A reply is stronger than a resumption.
    fn carry_out(&mut self) {
        let actions = std::mem::take(&mut self.store.data_mut().actions);
        let replied: Vec<u32> = actions
            .iter()
            .filter_map(|action| match action {
                Action::Reply(stream, _) => Some(*stream),
                Action::Resume(_) => None,
            })
            .collect();
        for action in actions {
            match action {
                Action::Resume(id) if replied.contains(&id) => {
                    self.events.push(Event::DecidedTwice(id));
                }
                Action::Resume(id) => self.forward(id),
                Action::Reply(id, reply) => self.reply(id, *reply),
            }
        }
    }

    fn forward(&mut self, id: u32) {
        let Some(stream) = self.store.data_mut().streams.get_mut(&id) else { return };
        if !stream.details.is_empty() {
            // Envoy has ended it already.
            return;
        }
        if stream.is_undecided() {
            stream.upstream = Some(stream.headers.clone());
            self.events.push(Event::Forwarded(id));
        } else {
            self.events.push(Event::DecidedTwice(id));
        }
    }

    fn reply(&mut self, id: u32, reply: Reply) {
        let Some(stream) = self.store.data_mut().streams.get_mut(&id) else { return };
        if !stream.details.is_empty() {
            return;
        }
        if !stream.is_undecided() {
            self.events.push(Event::DecidedTwice(id));
            return;
        }
        let mut headers = vec![(b":status".to_vec(), reply.status.to_string().into_bytes())];
        headers.extend(reply.headers.iter().cloned());
        stream.details = reply.details.clone().into_bytes();
        stream.reply = Some(reply);
        self.events.push(Event::Replied(id));
        self.respond(id, headers);
    }

    /// Starts a configuration. `None` if the module refuses it; its root then exists nevertheless.
    pub(crate) fn configure(&mut self, text: &str) -> Result<u32, u32> {
        self.last_context += 1;
        let root = self.last_context;
        self.store.data_mut().roots.insert(root, 0);
        self.store.data_mut().configuration = text.as_bytes().to_vec();
        self.enter::<_, ()>("proxy_on_context_create", root, (root as i32, 0));
        self.enter::<_, i32>("proxy_on_vm_start", root, (root as i32, 0));
        let size = text.len() as i32;
        let is_running = self.enter::<_, i32>("proxy_on_configure", root, (root as i32, size));
        self.carry_out();
        if is_running == Some(1) { Ok(root) } else { Err(root) }
    }

    pub(crate) fn tick(&mut self, root: u32) {
        if self.store.data().roots.get(&root).is_some_and(|period| *period > 0) {
            self.enter::<_, ()>("proxy_on_tick", root, root as i32);
            self.carry_out();
        }
    }

    /// A request's headers arrive. Returns the number of its stream.
    pub(crate) fn request(&mut self, stream: Stream) -> u32 {
        self.last_context += 1;
        let id = self.last_context;
        let (root, count) = (stream.root as i32, stream.headers.len() as i32);
        let is_whole = i32::from(stream.is_whole && stream.trailers.is_none());
        self.store.data_mut().streams.insert(id, stream);
        self.enter::<_, ()>("proxy_on_context_create", id, (id as i32, root));
        let arguments = (id as i32, count, is_whole);
        let action = self.enter::<_, i32>("proxy_on_request_headers", id, arguments);
        self.decided(id, action);
        id
    }

    /// A part of the body arrives.
    pub(crate) fn body(&mut self, id: u32, part: &[u8], is_last: bool) {
        let mut size = part.len();
        if let Some(stream) = self.store.data_mut().streams.get_mut(&id) {
            if stream.reply.is_some() {
                return;
            }
            stream.body.extend(part);
            stream.is_whole = is_last;
            if stream.upstream.is_none() && !stream.shows_body {
                return;
            }
            size = stream.body.len();
        }
        let arguments = (id as i32, size as i32, i32::from(is_last));
        let action = self.enter::<_, i32>("proxy_on_request_body", id, arguments);
        self.decided(id, action);
    }

    pub(crate) fn trailers(&mut self, id: u32, trailers: Map) {
        let count = trailers.len() as i32;
        if let Some(stream) = self.store.data_mut().streams.get_mut(&id) {
            if stream.reply.is_some() {
                return;
            }
            stream.trailers = Some(trailers);
            if stream.upstream.is_none() && !stream.shows_body {
                return;
            }
        }
        let action = self.enter::<_, i32>("proxy_on_request_trailers", id, (id as i32, count));
        self.decided(id, action);
    }

    /// The module has returned from a callback of the request. To continue forwards what is paused.
    fn decided(&mut self, id: u32, action: Option<i32>) {
        let has_replied = (self.store.data().actions.iter())
            .any(|it| matches!(it, Action::Reply(stream, _) if *stream == id));
        self.carry_out();
        let stream = self.store.data().streams.get(&id);
        if action == Some(0) && !has_replied && stream.is_some_and(Stream::is_undecided) {
            self.forward(id);
        }
    }

    /// Response headers arrive, from the application or from Envoy itself.
    pub(crate) fn respond(&mut self, id: u32, headers: Map) {
        let count = headers.len() as i32;
        if let Some(stream) = self.store.data_mut().streams.get_mut(&id) {
            stream.response = Some(headers);
        }
        self.enter::<_, i32>("proxy_on_response_headers", id, (id as i32, count, 0));
        self.carry_out();
        if let Some(stream) = self.store.data_mut().streams.get_mut(&id) {
            stream.client = stream.response.take();
            self.events.push(Event::Responded(id));
        }
    }

    /// Reports the end of a call. `context` is the call's root, as in Envoy, unless a test passes another one.
    pub(crate) fn answered(&mut self, context: u32, token: u32, answer: &Answer) {
        let (headers, body) = match answer {
            Answer::Says(status, body) => {
                let headers = vec![
                    (b":status".to_vec(), status.to_string().into_bytes()),
                    (b"content-type".to_vec(), b"application/json".to_vec()),
                ];
                (headers, body.clone().into_bytes())
            }
            Answer::Cut => (Map::new(), Vec::new()),
        };
        let (count, size) = (headers.len() as i32, body.len() as i32);
        self.store.data_mut().response = Some((headers, body));
        let arguments = (context as i32, token as i32, count, size, 0);
        self.enter::<_, ()>("proxy_on_http_call_response", context, arguments);
        self.store.data_mut().response = None;
        self.carry_out();
    }

    /// Removes and returns a call under way.
    pub(crate) fn take_call(&mut self, place: usize) -> Call {
        self.store.data_mut().calls.remove(place)
    }

    pub(crate) fn calls(&self) -> &[Call] {
        &self.store.data().calls
    }

    /// The client leaves, or the exchange is over.
    pub(crate) fn end(&mut self, id: u32) -> Option<Stream> {
        self.store.data_mut().streams.remove(&id)
    }

    /// Ends a root. Envoy cancels the calls in its name.
    pub(crate) fn end_root(&mut self, root: u32) {
        let data = self.store.data_mut();
        data.roots.remove(&root);
        data.calls.retain(|call| call.root != root);
    }

    pub(crate) fn stream(&mut self, id: u32) -> Option<&mut Stream> {
        self.store.data_mut().streams.get_mut(&id)
    }

    pub(crate) fn streams(&self) -> &BTreeMap<u32, Stream> {
        &self.store.data().streams
    }

    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Instructions so far.
    pub(crate) fn instructions(&self) -> u64 {
        assert!(self.counts_instructions, "they are not counted");
        FUEL - self.store.get_fuel().unwrap()
    }
}
