//! Envoy's callbacks. A fault ends the process, since nothing unwinds through them.
#![allow(clippy::too_many_arguments, reason = "the ABI's")]

use super::abi::{Buffer, Header, Pointer};
use super::stream::boxed;
use super::{Call, Config, Metric, POINTERS, Queue, Reply, Response, Stream, WORKER, in_host};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Exports a callback that works for the host.
macro_rules! callbacks {
    ($($link:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? $body:block)*) => {
        $(
            #[unsafe(export_name = concat!("envoy_dynamic_module_callback_", stringify!($link)))]
            unsafe extern "C" fn $link($($argument: $type),*) $(-> $result)? {
                in_host(move || $body)
            }
        )*
    };
}

unsafe fn config<'a>(pointer: Pointer) -> &'a Config {
    POINTERS.check(pointer);
    // SAFETY: it exists, and ends after its last hook.
    unsafe { &*pointer.cast::<Config>() }
}

unsafe fn list<'a, T>(start: *const T, count: usize) -> &'a [T] {
    if count == 0 {
        return &[];
    }
    // SAFETY: the module lends it for the present callback.
    unsafe { std::slice::from_raw_parts(start, count) }
}

unsafe fn call(id: u64, headers: *const Header, count: usize, body: Buffer) -> Call {
    // SAFETY: the module lends all of it for the present callback.
    let (headers, body) = unsafe { (list(headers, count), body.bytes().to_vec()) };
    // SAFETY: as above.
    let headers: Vec<_> = headers.iter().map(|header| unsafe { header.pair() }).collect();
    for name in [":method", ":path", ":authority"] {
        assert!(headers.iter().any(|(other, _)| other == name), "{name} is missing");
    }
    Call { id, headers, body }
}

fn define(config: &Config, name: Buffer, id: *mut usize) -> u32 {
    let mut metrics = config.metrics.lock().unwrap();
    // SAFETY: the module lends the name, and wants the id there.
    unsafe {
        metrics.push(Metric { name: name.text(), values: Default::default() });
        id.write(metrics.len() - 1);
    }
    0
}

fn change(
    stream: Pointer,
    id: usize,
    labels: *const Buffer,
    count: usize,
    work: &dyn Fn(&mut u64),
) {
    // SAFETY: the module lends the labels, and the configuration outlives its streams.
    unsafe {
        let labels = list(labels, count).iter().map(|label| label.text()).collect();
        let config = &*Stream::of(stream).config;
        work(config.metrics.lock().unwrap()[id].values.entry(labels).or_default());
    }
}

fn scheduler(queue: &Queue) -> Pointer {
    let scheduler = Box::into_raw(Box::new(Arc::clone(queue))).cast();
    POINTERS.add(scheduler);
    scheduler
}

fn commit(scheduler: Pointer, event: u64) {
    POINTERS.check(scheduler);
    // SAFETY: it exists, and the module deletes no scheduler that it uses.
    let queue = unsafe { &*scheduler.cast::<Queue>() };
    if let Some(events) = &mut *queue.lock().unwrap() {
        events.push_back(event);
    }
}

fn delete(scheduler: Pointer) {
    POINTERS.remove(scheduler);
    // SAFETY: it was made by `scheduler`.
    drop(unsafe { Box::from_raw(scheduler.cast::<Queue>()) });
}

callbacks! {
    log(level: u32, text: Buffer) {
        // SAFETY: the module lends the text.
        let text = unsafe { text.text() };
        if std::env::var_os("NATIVE_LOG").is_some() {
            eprintln!("{level} {text}");
        }
    }
    log_enabled(level: u32) -> bool { level > 1 }
    is_validation_mode() -> bool { false }
    get_concurrency() -> u32 { 2 }
    http_filter_config_define_counter(
        host: Pointer, name: Buffer, labels: *const Buffer, count: usize, id: *mut usize) -> u32 {
        // SAFETY: the pointer is checked, the labels are lent.
        let (config, _) = unsafe { (config(host), list(labels, count)) };
        define(config, name, id)
    }
    http_filter_config_define_gauge(
        host: Pointer, name: Buffer, labels: *const Buffer, count: usize, id: *mut usize) -> u32 {
        // SAFETY: the pointer is checked, the labels are lent.
        let (config, _) = unsafe { (config(host), list(labels, count)) };
        define(config, name, id)
    }
    http_filter_config_define_histogram(
        host: Pointer, name: Buffer, labels: *const Buffer, count: usize, id: *mut usize) -> u32 {
        // SAFETY: the pointer is checked, the labels are lent.
        let (config, _) = unsafe { (config(host), list(labels, count)) };
        define(config, name, id)
    }
    http_filter_increment_counter(
        stream: Pointer, id: usize, labels: *const Buffer, count: usize, value: u64) -> u32 {
        change(stream, id, labels, count, &|sum| *sum += value);
        0
    }
    http_filter_set_gauge(
        stream: Pointer, id: usize, labels: *const Buffer, count: usize, value: u64) -> u32 {
        change(stream, id, labels, count, &|last| *last = value);
        0
    }
    http_filter_record_histogram_value(
        stream: Pointer, id: usize, labels: *const Buffer, count: usize, _value: u64) -> u32 {
        change(stream, id, labels, count, &|values| *values += 1);
        0
    }
    http_get_headers_size(stream: Pointer, map: u32) -> usize {
        // SAFETY: the pointer is checked.
        unsafe { Stream::of(stream) }.maps[map as usize].borrow().len()
    }
    http_get_headers(stream: Pointer, map: u32, out: *mut Header) -> bool {
        // SAFETY: the pointer is checked.
        unsafe { Stream::of(stream) }.write_headers(map as usize, out);
        true
    }
    http_set_header(stream: Pointer, map: u32, name: Buffer, value: Buffer) -> bool {
        // SAFETY: the pointer is checked, and the module lends both.
        let (stream, name, is_removal, value) = unsafe {
            (Stream::of(stream), boxed(name.bytes()), value.start.is_null(), boxed(value.bytes()))
        };
        stream.renew(|map| {
            map.retain(|(other, _)| *other != name);
            if !is_removal {
                map.push((name, value));
            }
        }, map as usize);
        true
    }
    http_add_header(stream: Pointer, map: u32, name: Buffer, value: Buffer) -> bool {
        // SAFETY: the pointer is checked, and the module lends both.
        let (stream, name, value) =
            unsafe { (Stream::of(stream), boxed(name.bytes()), boxed(value.bytes())) };
        stream.renew(|map| map.push((name, value)), map as usize);
        true
    }
    http_send_response(
        stream: Pointer, status: u32, headers: *const Header, count: usize, body: Buffer, details: Buffer) {
        // SAFETY: the pointer is checked, and the module lends the rest.
        unsafe {
            let _ = (Stream::of(stream), body.bytes());
            let reply = Reply { status, details: details.text() };
            let headers: Vec<_> =
                list(headers, count).iter().map(|header| header.pair()).collect();
            Stream::replied(stream.cast(), &reply, &headers);
        }
    }
    http_get_body_size(stream: Pointer, body: u32) -> usize {
        // SAFETY: the pointer is checked.
        let stream = unsafe { Stream::of(stream) };
        stream.bodies[body as usize].borrow().iter().map(|chunk| chunk.len()).sum()
    }
    http_get_body_chunks_size(stream: Pointer, body: u32) -> usize {
        // SAFETY: the pointer is checked.
        unsafe { Stream::of(stream) }.bodies[body as usize].borrow().len()
    }
    http_get_body_chunks(stream: Pointer, body: u32, out: *mut Buffer) -> bool {
        // SAFETY: the pointer is checked, and the module has made room for as many as there are.
        unsafe {
            for (at, chunk) in Stream::of(stream).bodies[body as usize].borrow().iter().enumerate() {
                out.add(at).write(Buffer::of(chunk));
            }
        }
        true
    }
    http_filter_get_attribute_string(stream: Pointer, attribute: u32, out: *mut Buffer) -> bool {
        // SAFETY: the pointer is checked.
        let stream = unsafe { Stream::of(stream) };
        let text = stream.texts.borrow().get(&attribute).cloned();
        text.is_some_and(|text| stream.lend(text.as_bytes(), out))
    }
    http_filter_get_attribute_bool(stream: Pointer, attribute: u32, out: *mut bool) -> bool {
        // SAFETY: the pointer is checked, and the module wants the value there.
        unsafe {
            let _ = (Stream::of(stream), attribute);
            out.write(true);
        }
        true
    }
    http_get_metadata_string(
        stream: Pointer, source: u32, namespace: Buffer, key: Buffer, out: *mut Buffer) -> bool {
        // SAFETY: the pointer is checked, and the module lends the names.
        let (stream, path) =
            unsafe { (Stream::of(stream), (namespace.text(), key.text())) };
        let values = stream.metadata.borrow().get(&path).cloned();
        match values.as_deref() {
            Some([value]) if source == 0 => stream.lend(value.as_bytes(), out),
            _ => false,
        }
    }
    http_get_metadata_list_size(
        stream: Pointer, source: u32, namespace: Buffer, key: Buffer, out: *mut usize) -> bool {
        // SAFETY: the pointer is checked, and the module lends the names.
        let (stream, path) =
            unsafe { (Stream::of(stream), (namespace.text(), key.text())) };
        let size = stream.metadata.borrow().get(&path).map(Vec::len).filter(|_| source == 0);
        // SAFETY: the module wants the value there.
        size.is_some_and(|size| unsafe { out.write(size); true })
    }
    http_get_metadata_list_string(
        stream: Pointer, source: u32, namespace: Buffer, key: Buffer, at: usize, out: *mut Buffer) -> bool {
        // SAFETY: the pointer is checked, and the module lends the names.
        let (stream, path) =
            unsafe { (Stream::of(stream), (namespace.text(), key.text())) };
        let value = stream.metadata.borrow().get(&path).and_then(|list| list.get(at).cloned());
        value.filter(|_| source == 0).is_some_and(|value| stream.lend(value.as_bytes(), out))
    }
    http_set_filter_state_bytes(stream: Pointer, key: Buffer, value: Buffer) -> bool {
        // SAFETY: the pointer is checked, and the module lends both.
        let (stream, key, value) = unsafe { (Stream::of(stream), key.text(), value.text()) };
        stream.outcome.state.borrow_mut().insert(key, value);
        true
    }
    http_filter_http_callout(
        stream: Pointer, id: *mut u64, cluster: Buffer, headers: *const Header, count: usize,
        body: Buffer, milliseconds: u64) -> u32 {
        // SAFETY: the pointer is checked, the module lends the rest, and wants the id there.
        unsafe {
            let stream = Stream::of(stream);
            assert!(milliseconds > 0);
            if cluster.text() != "duo_api" {
                return 2;
            }
            stream.last_call.set(stream.last_call.get() + 1);
            id.write(stream.last_call.get());
            stream.calls.borrow_mut().push(call(stream.last_call.get(), headers, count, body));
        }
        0
    }
    http_filter_config_http_callout(
        host: Pointer, id: *mut u64, cluster: Buffer, headers: *const Header, count: usize,
        body: Buffer, milliseconds: u64) -> u32 {
        // SAFETY: the pointer is checked, the module lends the rest, and wants the id there.
        unsafe {
            let config = config(host);
            assert!(milliseconds > 0);
            let number = config.last_call.fetch_add(1, Relaxed) + 1;
            if cluster.text() != "duo_api" {
                // A host may report that inside of the call, too.
                config.end(host, number, &Response::Reset);
                return 2;
            }
            id.write(number);
            config.calls.lock().unwrap().push(call(number, headers, count, body));
        }
        0
    }
    http_filter_continue_decoding(stream: Pointer) {
        // SAFETY: the pointer is checked.
        unsafe {
            let _ = Stream::of(stream);
            Stream::resumed(stream.cast());
        }
    }
    http_filter_scheduler_new(stream: Pointer) -> Pointer {
        // SAFETY: the pointer is checked.
        scheduler(&unsafe { Stream::of(stream) }.queue)
    }
    http_filter_scheduler_commit(waker: Pointer, event: u64) { commit(waker, event); }
    http_filter_scheduler_delete(waker: Pointer) { delete(waker); }
    http_filter_config_scheduler_new(host: Pointer) -> Pointer {
        // SAFETY: the pointer is checked.
        scheduler(&unsafe { config(host) }.queue)
    }
    http_filter_config_scheduler_commit(waker: Pointer, event: u64) { commit(waker, event); }
    http_filter_config_scheduler_delete(waker: Pointer) { delete(waker); }
    http_filter_get_worker_index(stream: Pointer) -> u32 {
        // SAFETY: the pointer is checked.
        let _ = unsafe { Stream::of(stream) };
        WORKER.get()
    }
}
