//! A rate limit service: Limitador, behind Envoy's interface for it.
//!
//! `limiter ADDRESS DOMAIN COUNT SECONDS [REDIS]` serves at the address. A user gets so many prompts and so many
//! starts within so many seconds. Counts are in memory, or in the Redis at that URL.

use envoy_types::pb::envoy::extensions::common::ratelimit::v3::RateLimitDescriptor;
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_response::{Code, DescriptorStatus};
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_service_server::{
    RateLimitService, RateLimitServiceServer,
};
use envoy_types::pb::envoy::service::ratelimit::v3::{RateLimitRequest, RateLimitResponse};
use envoy_types::pb::google::protobuf::Duration;
use limitador::limit::{Context, Limit};
use limitador::{CheckResult, RateLimiter};
use std::collections::HashMap;
use std::error::Error;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// The names that the filter counts users under.
const NAMES: [&str; 2] = ["duo_mfa_prompt", "duo_mfa_start"];

struct Service(RateLimiter);

#[tonic::async_trait]
impl RateLimitService for Service {
    async fn should_rate_limit(
        &self,
        request: Request<RateLimitRequest>,
    ) -> Result<Response<RateLimitResponse>, Status> {
        let RateLimitRequest { domain, descriptors, hits_addend } = request.into_inner();
        let mut context = Context::default();
        let entries = |descriptor: RateLimitDescriptor| -> HashMap<String, String> {
            descriptor.entries.into_iter().map(|entry| (entry.key, entry.value)).collect()
        };
        let descriptors = descriptors.into_iter().map(entries).collect();
        context.list_binding("descriptors".to_owned(), descriptors);
        let hits = u64::from(hits_addend.max(1));
        let check = || self.0.check_rate_limited_and_update(&domain.into(), &context, hits);
        // A request to Redis blocks its thread.
        let checked = tokio::task::block_in_place(check);
        let CheckResult { limited, counters, .. } =
            checked.map_err(|error| Status::unavailable(error.to_string()))?;
        let code = i32::from(if limited { Code::OverLimit } else { Code::Ok });
        let ends = counters.iter().filter_map(|counter| counter.expires_in()).max();
        let duration_until_reset = ends.map(|ends| Duration {
            seconds: i64::try_from(ends.as_secs()).unwrap_or(i64::MAX),
            nanos: i32::try_from(ends.subsec_nanos()).unwrap_or_default(),
        });
        let status = DescriptorStatus { code, duration_until_reset, ..Default::default() };
        let statuses = vec![status];
        Ok(Response::new(RateLimitResponse { overall_code: code, statuses, ..Default::default() }))
    }
}

#[cfg(feature = "redis")]
fn counts_in(redis: &str) -> Result<RateLimiter, Box<dyn Error>> {
    let storage = limitador::storage::redis::RedisStorage::new(redis)?;
    Ok(RateLimiter::new_with_storage(Box::new(storage)))
}

#[cfg(not(feature = "redis"))]
fn counts_in(_redis: &str) -> Result<RateLimiter, Box<dyn Error>> {
    Err("this limiter counts in memory: build it with --features redis".into())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, domain, count, seconds, redis @ ..] = arguments.as_slice() else {
        return Err("limiter ADDRESS DOMAIN COUNT SECONDS [REDIS]".into());
    };
    let (count, seconds) = (count.parse()?, seconds.parse()?);
    let counts = match redis {
        [] => RateLimiter::new(100_000),
        [redis, ..] => counts_in(redis)?,
    };
    for name in NAMES {
        let is_meant = format!("has(descriptors[0].{name})");
        let user = format!("descriptors[0].{name}");
        let (conditions, variables) = ([is_meant.try_into()?], [user.try_into()?]);
        counts.add_limit(Limit::new(domain.as_str(), count, seconds, conditions, variables));
    }
    let service = RateLimitServiceServer::new(Service(counts));
    Server::builder().add_service(service).serve(address.parse()?).await?;
    Ok(())
}
