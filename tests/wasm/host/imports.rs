//! The host calls of the module: the ABI of proxy-wasm 0.2.1, and WASI as far as Rust's runtime needs it.

use super::memory::{C, give, parsed, read, serialized, text, write, write_number};
use super::process::Call;
use super::stream::Reply;
use super::vm::{Action, Data};
use super::{BAD_ARGUMENT, CAS_MISMATCH, INTERNAL_FAILURE, NOT_FOUND, OK, Odd, SECRETS};
use wasmi::{Engine, Error, ExternType, Linker, Module, Val};

/// The error number of WASI for an invalid argument.
const INVALID: i32 = 28;

/// Defines a host call. Its body runs unless the call has an odd status.
macro_rules! call {
    ($linker:ident, $module:literal $name:literal, |$c:ident, $odd:ident $(, $argument:ident)*| $body:expr) => {
        call!($linker, $module $name, |$c, $odd $(, $argument: i32)*| $body)
    };
    ($linker:ident, $module:literal $name:literal,
     |$c:ident, $odd:ident $(, $argument:ident: $type:ty)*| $body:expr) => {
        #[allow(unused_mut, reason = "only some calls write")]
        let work = |mut $c: C<'_> $(, $argument: $type)*| -> i32 {
            let $odd = $c.data().process.borrow_mut().record($name);
            if let Some(Odd::Status(status)) = $odd {
                return if $module == "env" { status } else { INVALID };
            }
            $body
        };
        $linker.func_wrap($module, $name, work).unwrap();
    };
}

fn changed(odd: Option<Odd>, bytes: Vec<u8>) -> Vec<u8> {
    match odd {
        Some(odd) => odd.change(bytes),
        None => bytes,
    }
}

pub(super) fn linker(engine: &Engine, module: &Module) -> Linker<Data> {
    let mut linker = Linker::new(engine);
    linker.allow_shadowing(true);
    // Before `tools/shrink.py`, the file also imports calls that only the SDK's unused code makes.
    for import in module.imports() {
        if let ExternType::Func(its) = import.ty() {
            let name = import.name().to_owned();
            let work = move |_: C<'_>, _: &[Val], _: &mut [Val]| Err(Error::new(name.clone()));
            linker.func_new(import.module(), import.name(), its.clone(), work).unwrap();
        }
    }
    maps(&mut linker);
    values(&mut linker);
    effects(&mut linker);
    runtime(&mut linker);
    linker
}

fn maps(linker: &mut Linker<Data>) {
    call!(linker, "env" "proxy_get_header_map_pairs", |c, odd, map, data, len| {
        let bytes = match map {
            6 => c.data().response.as_ref().map(|(headers, _)| serialized(headers)),
            _ => c.data_mut().stream().and_then(|it| it.map(map).map(|it| serialized(it))),
        };
        // Envoy writes nothing for an empty map.
        let bytes = bytes.filter(|bytes| bytes.iter().any(|byte| *byte != 0));
        give(&mut c, &changed(odd, bytes.unwrap_or_default()), data, len);
        OK
    });
    call!(linker, "env" "proxy_add_header_map_value", |c, _odd, map, name, name_len, at, len| {
        let pair = (read(&c, name, name_len), read(&c, at, len));
        match c.data_mut().stream().and_then(|it| it.map(map)) {
            Some(map) => map.push(pair),
            None => return BAD_ARGUMENT,
        }
        OK
    });
    call!(linker, "env" "proxy_replace_header_map_value", |c, _odd, map, name, name_len, at, len| {
        let (name, value) = (read(&c, name, name_len), read(&c, at, len));
        let Some(map) = c.data_mut().stream().and_then(|it| it.map(map)) else {
            return BAD_ARGUMENT;
        };
        let place = map.iter().position(|(known, _)| *known == name).unwrap_or(map.len());
        map.retain(|(known, _)| *known != name);
        map.insert(place.min(map.len()), (name, value));
        OK
    });
    call!(linker, "env" "proxy_remove_header_map_value", |c, _odd, map, name, name_len| {
        let name = read(&c, name, name_len);
        match c.data_mut().stream().and_then(|it| it.map(map)) {
            Some(map) => map.retain(|(known, _)| *known != name),
            None => return BAD_ARGUMENT,
        }
        OK
    });
    call!(linker, "env" "proxy_get_buffer_bytes", |c, odd, buffer, start, max, data, len| {
        let bytes = match buffer {
            0 => c.data_mut().stream().map(|it| it.body.clone()),
            4 => c.data().response.as_ref().map(|(_, body)| body.clone()),
            7 => Some(c.data().configuration.clone()),
            _ => None,
        };
        let Some(bytes) = bytes else { return NOT_FOUND };
        let from = (start as u32 as usize).min(bytes.len());
        let until = from.saturating_add(max as u32 as usize).min(bytes.len());
        give(&mut c, &changed(odd, bytes[from..until].to_vec()), data, len);
        OK
    });
}

fn values(linker: &mut Linker<Data>) {
    call!(linker, "env" "proxy_get_property", |c, odd, path, path_len, data, len| {
        let path = read(&c, path, path_len);
        let Some(found) = c.data_mut().stream().and_then(|it| it.property(&path)) else {
            return NOT_FOUND;
        };
        give(&mut c, &changed(odd, found), data, len);
        OK
    });
    call!(linker, "env" "proxy_set_property", |c, _odd, path, path_len, at, len| {
        let (name, value) = (text(&c, path, path_len), text(&c, at, len));
        if let Some(stream) = c.data_mut().stream() {
            stream.state.push((name, value));
        }
        OK
    });
    call!(linker, "env" "proxy_get_current_time_nanoseconds", |c, _odd, out| {
        let now = c.data().process.borrow().now;
        write(&mut c, out, &now.to_le_bytes());
        OK
    });
    call!(linker, "env" "proxy_log", |c, _odd, _level, at, len| {
        let line = text(&c, at, len);
        c.data().process.borrow_mut().write_line(line);
        OK
    });
    call!(linker, "env" "proxy_define_metric", |c, _odd, _kind, at, len, out| {
        let name = text(&c, at, len);
        let id = c.data().process.borrow_mut().define(name);
        write_number(&mut c, out, id);
        OK
    });
    call!(linker, "env" "proxy_increment_metric", |c, _odd, id: i32, by: i64| {
        match c.data().process.borrow_mut().metric(id as u32) {
            Some(metric) => *metric = metric.wrapping_add_signed(by),
            None => return BAD_ARGUMENT,
        }
        OK
    });
    call!(linker, "env" "proxy_record_metric", |c, _odd, id: i32, value: i64| {
        match c.data().process.borrow_mut().metric(id as u32) {
            Some(metric) => *metric = value as u64,
            None => return BAD_ARGUMENT,
        }
        OK
    });
    call!(linker, "env" "proxy_get_shared_data", |c, odd, key, key_len, data, len, cas| {
        let key = read(&c, key, key_len);
        let found = c.data().process.borrow().shared.get(&key).cloned();
        let Some((bytes, number)) = found else { return NOT_FOUND };
        give(&mut c, &changed(odd, bytes), data, len);
        write_number(&mut c, cas, number);
        OK
    });
    call!(linker, "env" "proxy_set_shared_data", |c, _odd, key, key_len, at, len, cas| {
        let (key, value) = (read(&c, key, key_len), read(&c, at, len));
        assert_ne!(cas, 0, "Envoy would replace the value that another worker has just written");
        let is_set = c.data().process.borrow_mut().swap(key, value, cas as u32);
        if is_set { OK } else { CAS_MISMATCH }
    });
}

fn effects(linker: &mut Linker<Data>) {
    call!(linker, "env" "proxy_set_tick_period_milliseconds", |c, _odd, period| {
        let current = c.data().current;
        c.data_mut().roots.insert(current, u64::from(period as u32));
        OK
    });
    call!(linker, "env" "proxy_set_effective_context", |c, _odd, context| {
        let data = c.data_mut();
        if !data.knows(context as u32) {
            return BAD_ARGUMENT;
        }
        data.effective = context as u32;
        OK
    });
    call!(linker, "env" "proxy_continue_stream", |c, _odd, kind| {
        assert_eq!(kind, 0, "only requests wait");
        let acting = c.data().acting();
        c.data_mut().actions.push(Action::Resume(acting));
        OK
    });
    call!(linker, "env" "proxy_send_local_response",
    |c, _odd, status, details, details_len, _body, _body_len, headers, headers_len, _grpc| {
        let reply = Reply {
            status: status as u32,
            details: text(&c, details, details_len),
            headers: parsed(&read(&c, headers, headers_len)),
        };
        let acting = c.data().acting();
        c.data_mut().actions.push(Action::Reply(acting, Box::new(reply)));
        OK
    });
    call!(linker, "env" "proxy_http_call",
    |c, _odd, cluster, cluster_len, headers, headers_len, body, body_len, _trailers, _trailers_len, timeout, out| {
        let cluster = text(&c, cluster, cluster_len);
        let (now, is_known, is_cut_off) = {
            let process = c.data().process.borrow();
            (process.now, process.clusters.contains(&cluster), process.is_cut_off)
        };
        if !is_known || is_cut_off {
            return if is_known { INTERNAL_FAILURE } else { BAD_ARGUMENT };
        }
        let headers = parsed(&read(&c, headers, headers_len));
        let body = read(&c, body, body_len);
        let data = c.data_mut();
        data.last_token += 1;
        let (token, stream) = (data.last_token, data.acting());
        let root = data.streams.get(&stream).map_or(stream, |it| it.root);
        let timeout = u64::from(timeout as u32);
        data.calls.push(Call { token, root, stream, headers, body, sent: now, timeout });
        write_number(&mut c, out, token);
        OK
    });
}

fn variables() -> [String; SECRETS.len()] {
    SECRETS.map(|(name, value)| format!("{name}={value}\0"))
}

fn runtime(linker: &mut Linker<Data>) {
    call!(linker, "wasi_snapshot_preview1" "random_get", |c, _odd, at, len| {
        let bytes: Vec<u8> = {
            let mut process = c.data().process.borrow_mut();
            (0..len).map(|_| process.chance.below(256) as u8).collect()
        };
        write(&mut c, at, &bytes);
        0
    });
    call!(linker, "wasi_snapshot_preview1" "environ_sizes_get", |c, _odd, count, size| {
        write_number(&mut c, count, SECRETS.len() as u32);
        let bytes: usize = variables().iter().map(String::len).sum();
        write_number(&mut c, size, bytes as u32);
        0
    });
    call!(linker, "wasi_snapshot_preview1" "environ_get", |c, _odd, pointers, bytes| {
        let (mut pointers, mut at) = (pointers, bytes);
        for variable in variables() {
            write_number(&mut c, pointers, at as u32);
            write(&mut c, at, variable.as_bytes());
            pointers += 4;
            at += variable.len() as i32;
        }
        0
    });
    call!(linker, "wasi_snapshot_preview1" "fd_write", |_c, _odd, _file, _parts, _count, _out| 0);
    let exit = |status: i32| -> Result<(), Error> { Err(Error::i32_exit(status)) };
    linker.func_wrap("wasi_snapshot_preview1", "proc_exit", exit).unwrap();
}
